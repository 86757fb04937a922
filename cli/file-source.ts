import { type FileHandle, open } from 'node:fs/promises';
import { type ByteSource, checkRange } from '../src/model/bytes/byte-source';
import { CliError } from './errors';

/** A file of the local disk as a source of bytes; `close` when done. */
export async function fileSource(path: string): Promise<ByteSource & { close(): Promise<void> }> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    throw new CliError(`${path} cannot be opened: ${(error as Error).message}`);
  }
  const { size } = await file.stat();
  return {
    name: path,
    size,
    async read(start, length) {
      checkRange(path, size, start, length);
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length; ) {
        const { bytesRead } = await file.read(bytes, done, length - done, start + done);
        if (bytesRead === 0) checkRange(path, start + done, start, length);
        done += bytesRead;
      }
      return bytes;
    },
    close: () => file.close(),
  };
}
