import { type FileHandle, open } from 'node:fs/promises';
import { type ByteSource, checkRange } from '../src/model/bytes/byte-source';
import { CliError } from './errors';

/** A file of the local disk as a source of bytes; `close` when done. */
export async function fileSource(path: string): Promise<ByteSource & { close(): Promise<void> }> {
  const file = await opened(path);
  const { size } = await file.stat();
  return {
    name: path,
    size,
    async read(start, length) {
      checkRange(path, size, start, length);
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length; ) {
        const bytesRead = await readSome(file, path, bytes, done, start + done);
        // Shorter than it was when it was opened.
        if (bytesRead === 0) checkRange(path, start + done, start, length);
        done += bytesRead;
      }
      return bytes;
    },
    close: () => file.close(),
  };
}

async function opened(path: string): Promise<FileHandle> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CliError(
      code === 'ENOENT'
        ? `There is no file ${path}: give the path of the weights.`
        : `${path} cannot be opened: ${message}`,
    );
  }
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new CliError(
    `${path} is not a file: give the path of the weights themselves (of an index or model.json, where ` +
      'they are in several files).',
  );
}

async function readSome(
  file: FileHandle,
  path: string,
  bytes: Uint8Array,
  offset: number,
  position: number,
): Promise<number> {
  try {
    return (await file.read(bytes, offset, bytes.length - offset, position)).bytesRead;
  } catch (error) {
    throw new CliError(
      `${path} cannot be read at byte ${position}: ${(error as Error).message}. Copy it to another disk.`,
    );
  }
}
