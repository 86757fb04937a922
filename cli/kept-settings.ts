/** Work that goes on in a folder where it was begun, as long as it is the same work. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CliError } from './errors';
import { writeWhole } from './output';

/** What must be the same for results to belong together. */
export type Settings = Readonly<Record<string, unknown>>;

const FILE = 'settings.json';

/**
 * Makes the folder and writes down what the work in it is.
 * @param restart forgets what is there: the settings, and the `files` of results
 * @throws CliError naming the setting where the folder holds other work
 */
export function keepSettings(
  folder: string,
  settings: Settings,
  restart: boolean,
  files: readonly string[],
): void {
  const known = join(folder, FILE);
  if (restart) for (const name of [...files, FILE]) rmSync(join(folder, name), { force: true });
  mkdirSync(folder, { recursive: true });
  const wanted = JSON.parse(JSON.stringify(settings)) as Settings;
  if (existsSync(known)) {
    const difference = firstDifference(readSettings(folder), wanted);
    if (difference) {
      throw new CliError(
        `${folder} holds results with another setting: ${difference}. ` +
          'Choose another --out, or begin anew with --restart.',
      );
    }
  }
  writeWhole(known, `${JSON.stringify(wanted, undefined, 2)}\n`);
}

/** @throws CliError where there are none, or the file is damaged */
export function readSettings(folder: string): Settings {
  try {
    return JSON.parse(readFileSync(join(folder, FILE), 'utf8')) as Settings;
  } catch (error) {
    throw new CliError(
      `${join(folder, FILE)} cannot be read (${(error as Error).message}): begin this run anew with --restart.`,
    );
  }
}

/** Such as `steps was 100, is 50`. */
export function firstDifference(before: Settings, now: Settings): string | undefined {
  for (const name of new Set([...Object.keys(before), ...Object.keys(now)])) {
    const [a, b] = [JSON.stringify(before[name]), JSON.stringify(now[name])];
    if (a !== b) return `${name} was ${a}, is ${b}`;
  }
  return undefined;
}
