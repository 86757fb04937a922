/** Writing results so that nothing half-written is ever seen. */
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { CliError } from './errors';

/** Throws unless a folder can be made, or written to, at `path`. Makes nothing. */
export function checkWritable(path: string): void {
  let at = resolve(path);
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at);
  if (!statSync(at).isDirectory()) {
    throw new CliError(`--out ${path}: ${at} is a file, not a folder. Choose another place.`);
  }
  try {
    accessSync(at, constants.W_OK);
  } catch {
    throw new CliError(`--out ${path}: no permission to write to ${at}. Choose another place.`);
  }
}

/**
 * Writes all files into a fresh folder, then moves them into place: as a whole where `folder` does not
 * exist yet, file by file where it does. All of it is synchronous, so that Ctrl-C comes before or after.
 */
export function writeAll(folder: string, files: ReadonlyMap<string, Uint8Array>): void {
  const target = resolve(folder);
  const exists = existsSync(target);
  const fresh = exists ? join(target, `.new-${process.pid}`) : `${target}.new-${process.pid}`;
  let made: string | undefined;
  try {
    // The first of the folders above that had to be made, to be taken away again on failure.
    made = mkdirSync(dirname(target), { recursive: true });
    mkdirSync(fresh);
    for (const [name, bytes] of files) writeFileSync(join(fresh, name), bytes);
    if (exists) {
      for (const name of files.keys()) {
        const old = join(target, name);
        if (existsSync(old) && statSync(old).isDirectory()) {
          throw new Error(`${old} is a folder, in the way of a file`);
        }
      }
      for (const name of files.keys()) renameSync(join(fresh, name), join(target, name));
      rmSync(fresh, { recursive: true });
    } else {
      renameSync(fresh, target);
    }
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    if (made) rmSync(made, { recursive: true, force: true });
    throw new CliError(
      `--out ${folder}: the results cannot be written: ${(error as Error).message}`,
    );
  }
}

/** Endings for the files of several classes: none for the first, `-<label>` for the others. */
export function suffixes(classes: readonly { index: number; label: string }[]): string[] {
  const taken = new Set<string>();
  return classes.map(({ index, label }, position) => {
    if (position === 0) return '';
    const words = label
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, '-')
      .replace(/^-|-$/g, '')
      .slice(0, 60);
    const suffix = words && !taken.has(words) ? `-${words}` : `-${words}${words && '-'}${index}`;
    taken.add(words);
    return suffix;
  });
}
