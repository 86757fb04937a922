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
import { dirname } from 'node:path';
import { httpSource } from '../src/model/bytes/http-source';

export interface DownloadOptions {
  readonly signal: AbortSignal;
  /** Milliseconds to wait before each further try after a failure. */
  readonly retryDelays?: readonly number[] | undefined;
  /** Hears where it starts, and then of every piece that is on the disk. */
  readonly onBytes: (done: number, total: number) => void;
}

/** What a file, or the part of it that is there, was downloaded from: written beside it. */
interface Origin {
  readonly url: string;
  readonly size: number;
  /** ETag, else Last-Modified; without one nobody knows whether it is still the same file. */
  readonly revision?: string | undefined;
}

const PIECE = 1024 * 1024;

/**
 * Downloads a file to `path`. A download that was interrupted, in this run or an earlier one, goes on
 * where it stopped if the server still has the same file (`path`.part and `path`.origin.json tell); a
 * finished one is taken as it is.
 * @throws ScoreCamError `weights`; the signal's reason; what the disk says.
 */
export async function download(
  url: URL,
  path: string,
  { signal, retryDelays, onBytes }: DownloadOptions,
): Promise<void> {
  const part = `${path}.part`;
  const note = `${path}.origin.json`;
  const before = await readOrigin(note);
  if (before?.url === url.href && before.size === (await sizeOf(path))) return;

  const source = await httpSource(url, { signal, retryDelays });
  let file: FileHandle | undefined;
  try {
    const { size, revision } = source;
    const isSame =
      before?.url === url.href &&
      before.size === size &&
      revision !== undefined &&
      before.revision === revision;
    const there = isSame ? ((await sizeOf(part)) ?? 0) : 0;
    const start = there <= size ? there : 0;
    await mkdir(dirname(path), { recursive: true });
    if (start === 0) await rm(part, { force: true });
    const now: Origin = { url: url.href, size, revision };
    await writeFile(note, JSON.stringify(now));
    file = await open(part, 'a');
    onBytes(start, size);
    for (let at = start; at < size; ) {
      const bytes = await source.read(at, Math.min(PIECE, size - at));
      await file.appendFile(bytes);
      at += bytes.length;
      onBytes(at, size);
    }
    await file.sync();
    await file.close();
    file = undefined;
    await rename(part, path);
  } finally {
    await file?.close();
    await source.close();
  }
}

async function readOrigin(path: string): Promise<Origin | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Origin;
  } catch {
    return undefined; // Absent or damaged: as good as none.
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch {
    return undefined;
  }
}
