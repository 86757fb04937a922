import {
  type FileHandle,
  mkdir,
  open,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join, normalize } from 'node:path';
import { httpSource } from '../src/model/bytes/http-source';
import { CliError } from './errors';

export interface DownloadOptions {
  readonly signal: AbortSignal;
  /** Milliseconds to wait before each further try after a failure. */
  readonly retryDelays?: readonly number[] | undefined;
  readonly onBytes: (done: number, total: number) => void;
}

/** What a part file is a part of: written beside it, so that a later run can go on. */
interface Origin {
  readonly url: string;
  readonly size: number;
  readonly revision: string | undefined;
}

const PIECE = 1024 * 1024;

/**
 * Downloads a file into `folder` and gives its path. A download that was interrupted, in this run or an
 * earlier one, goes on where it stopped if the server still has the same file; a finished one is kept.
 */
export async function download(
  url: URL,
  folder: string,
  { signal, retryDelays, onBytes }: DownloadOptions,
): Promise<string> {
  const path = join(folder, localName(url));
  await mkdir(dirname(path), { recursive: true });
  const part = `${path}.part`;
  const note = `${part}.json`;
  const finished = await origin(`${path}.json`);
  if (finished?.url === String(url) && (await sizeOf(path)) === finished.size) return path;

  const source = await httpSource(url, { signal, ...(retryDelays ? { retryDelays } : {}) });
  let file: FileHandle | undefined;
  try {
    const now: Origin = { url: String(url), size: source.size, revision: source.revision };
    const before = await origin(note);
    const same =
      before?.url === now.url &&
      before.size === now.size &&
      now.revision !== undefined &&
      before.revision === now.revision;
    if (!same) await rm(part, { force: true });
    await writeFile(note, JSON.stringify(now));
    file = await open(part, 'a');
    for (let at = Math.min((await file.stat()).size, now.size); at < now.size; ) {
      const bytes = await source.read(at, Math.min(PIECE, now.size - at));
      await file.write(bytes);
      at += bytes.length;
      onBytes(at, now.size);
    }
    await file.sync();
    await file.close();
    file = undefined;
    await rename(part, path);
    await rename(note, `${path}.json`);
    return path;
  } catch (error) {
    signal.throwIfAborted();
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') {
      throw new CliError(
        `${part}: the disk is full; ${source.size} bytes are needed for this file.`,
      );
    }
    throw error;
  } finally {
    await file?.close();
    await source.close();
  }
}

/** The URL's last part; an address of a folder or with odd characters gets a plain name. */
function localName(url: URL): string {
  const name = basename(normalize(decodeURIComponent(url.pathname))).replaceAll(/[^\w.-]/g, '_');
  return /^\.*$/.test(name) ? 'weights' : name;
}

async function origin(path: string): Promise<Origin | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Origin;
  } catch {
    return undefined;
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch {
    return undefined;
  }
}
