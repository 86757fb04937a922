import { readdirSync, statSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { usageError } from './errors';

const ENDINGS: readonly string[] = ['.png', '.jpg', '.jpeg'];

/**
 * Images of a folder and of those in it, as paths from the folder on with `/` between the parts. Their order is the same
 * on every machine, whatever language and file system it has. What begins with a dot is hidden.
 * @param option how the folder was given, for errors
 * @param except a folder that is left out, such as that of the results
 * @throws CliError where there is no such folder, or no image in it
 */
export function imageFiles(option: string, folder: string, except?: string): string[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw usageError(`${option} ${folder}: there is no such folder.`);
  }
  const names = namesIn(folder, '', except === undefined ? undefined : resolve(except)).sort();
  if (names.length === 0) throw usageError(`${option} ${folder}: there is no PNG or JPEG in it.`);
  return names;
}

function namesIn(root: string, at: string, except: string | undefined): string[] {
  return readdirSync(join(root, at), { withFileTypes: true }).flatMap((entry) => {
    const name = at === '' ? entry.name : `${at}/${entry.name}`;
    if (entry.name.startsWith('.')) return [];
    if (entry.isDirectory()) {
      return resolve(root, name) === except ? [] : namesIn(root, name, except);
    }
    return ENDINGS.includes(extname(name).toLowerCase()) ? [name] : [];
  });
}
