/** Writing results so that nothing half-written is ever seen, and nothing of an earlier run beside them. */
import {
  accessSync,
  constants,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { CliError } from './errors';

/** The longest name of a file in a folder of results, in bytes: `overlay-<method>-<label>.png`. */
const LONGEST_NAME = 160;

/** Throws unless a folder can be made, or written to, at `path`. Makes nothing. */
export function checkWritable(path: string): void {
  const target = resolve(path);
  // Each folder that is missing is asked for in the one above all of them, for that is where its name can be refused.
  const missing: string[] = [];
  let at = target;
  for (; !isThere(path, at) && dirname(at) !== at; at = dirname(at)) missing.push(basename(at));
  if (!statSync(at).isDirectory()) {
    throw new CliError(`--out ${path}: ${at} is a file, not a folder. Choose another place.`);
  }
  for (const name of missing) isThere(path, join(at, name));
  isThere(path, join(target, 'x'.repeat(LONGEST_NAME)));
  try {
    accessSync(at, constants.W_OK);
  } catch {
    throw new CliError(`--out ${path}: no permission to write to ${at}. Choose another place.`);
  }
}

/** @throws CliError where nothing can ever be, such as under a name that is too long */
function isThere(out: string, at: string): boolean {
  try {
    statSync(at);
    return true;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && !isLink(at)) return false;
    if (code === 'ENOTDIR') return false;
    const why =
      code === 'ENAMETOOLONG'
        ? `a name of ${Buffer.byteLength(basename(at))} bytes, or the path of ${Buffer.byteLength(at)}, is too long`
        : message;
    throw new CliError(`--out ${out.slice(0, 100)}: ${why}. Choose another place.`);
  }
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
}

/** Replaces a file, or makes it: whoever reads it gets the old content or the new one, whole. */
export function writeWhole(path: string, content: string | Uint8Array): void {
  const fresh = mkdtempSync(join(dirname(path), '.new-'));
  try {
    writeFileSync(join(fresh, basename(path)), content);
    renameSync(join(fresh, basename(path)), path);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** Lists all files of its run, its own among them, as `files`. It is the last to come and the first to go. */
const RESULT = 'result.json';

/**
 * Writes all files into a fresh folder, then moves them into place: as a whole where `folder` does not exist yet, file by
 * file where it does. Files that an earlier run's result.json lists go then. All of it is synchronous, so that Ctrl-C comes
 * before or after.
 */
export function writeAll(folder: string, files: ReadonlyMap<string, Uint8Array>): void {
  const target = resolve(folder);
  const parent = dirname(target);
  let fresh: string | undefined;
  let made: string | undefined;
  try {
    // The first of the folders above that had to be made, to be taken away again on failure.
    made = mkdirSync(parent, { recursive: true });
    // Beside what it becomes, or takes the place of: nothing is moved from one disk to another.
    fresh = mkdtempSync(join(isFolder(target) ? target : parent, '.new-'));
    const inside = join(fresh, 'results');
    mkdirSync(inside);
    for (const [name, bytes] of files) writeFileSync(join(inside, name), bytes);
    if (!movedAsWhole(inside, target)) replaceIn(target, inside, [...files.keys()]);
  } catch (error) {
    if (fresh) rmSync(fresh, { recursive: true, force: true });
    if (made) removeEmpty(parent, made);
    throw new CliError(
      `--out ${folder}: the results cannot be written: ${(error as Error).message}`,
    );
  }
  rmSync(fresh, { recursive: true, force: true });
}

/** Whether it could be: another run may have made the target meanwhile. */
function movedAsWhole(from: string, target: string): boolean {
  if (isFolder(target)) return false;
  try {
    renameSync(from, target);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'EPERM') return false;
    throw error;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function replaceIn(target: string, from: string, names: readonly string[]): void {
  for (const name of names) {
    const old = join(target, name);
    if (isFolder(old)) throw new Error(`${old} is a folder, in the way of a file`);
  }
  if (names.includes(RESULT)) {
    const stale = filesOfEarlierRun(target).filter((name) => !names.includes(name));
    for (const name of [RESULT, ...stale]) rmSync(join(target, name), { force: true });
  }
  const last = (name: string): number => Number(name === RESULT);
  for (const name of names.toSorted((a, b) => last(a) - last(b))) {
    renameSync(join(from, name), join(target, name));
  }
}

/** What the result.json in a folder lists, as far as a run can have written it. */
function filesOfEarlierRun(target: string): string[] {
  try {
    const { files } = JSON.parse(readFileSync(join(target, RESULT), 'utf8')) as { files?: unknown };
    return (Array.isArray(files) ? files : []).filter(
      (name): name is string =>
        typeof name === 'string' &&
        /^(overlay|heatmap|map|scores|comparison)[^/\\]*\.(png|f32)$/.test(name),
    );
  } catch {
    return []; // None, or none of ours.
  }
}

/** Takes folders away again that were made for nothing: from `at` up to `made`, as long as they are empty. */
export function removeEmpty(at: string, made: string): void {
  for (let folder = at; folder.length >= made.length; folder = dirname(folder)) {
    try {
      rmdirSync(folder);
    } catch {
      return; // Somebody else's files are in it by now.
    }
  }
}

/** Room for a label in the name of a file, in bytes. */
const LABEL_BYTES = 80;

/** Endings for the files of several classes: none for the first, `-<label>` for the others. */
export function suffixes(classes: readonly { index: number; label: string }[]): string[] {
  const taken = new Set<string>();
  return classes.map(({ index, label }, position) => {
    if (position === 0) return '';
    const words = shortened(
      label
        .normalize('NFC')
        .toLowerCase()
        .replace(/[^\p{L}\p{N}]+/gu, '-')
        .replace(/^-|-$/g, ''),
    );
    let suffix = words ? `-${words}` : `-${index}`;
    // An index of one may be the label of another.
    while (taken.has(suffix)) suffix += `-${index}`;
    taken.add(suffix);
    return suffix;
  });
}

/** As many of its letters as fit, none of them cut. */
function shortened(text: string): string {
  let bytes = 0;
  return [...text.slice(0, LABEL_BYTES)]
    .filter((letter) => {
      bytes += Buffer.byteLength(letter);
      return bytes <= LABEL_BYTES;
    })
    .join('');
}
