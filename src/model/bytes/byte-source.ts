import { ScoreCamError } from '../../errors';

/**
 * A file's bytes, wherever they are: on the web, on a disk, in memory. Formats read through it, so that
 * no format knows where its file comes from and no file is ever in memory whole.
 */
export interface ByteSource {
  /** URL or file name: what errors call it. */
  readonly name: string;
  /** Bytes in all. */
  readonly size: number;
  /**
   * Exactly the bytes start ... start + length. Reading forwards is cheap everywhere (over the network it
   * is one request for as long as each read starts at or after the end of the one before); reading
   * backwards may cost a request, and fails where a server ignores ranges.
   * @throws ScoreCamError `weights` naming file, offset and what was expected there.
   */
  read(start: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** Opens a file named relative to another one: the shards beside an index. */
export type OpenSibling = (path: string) => Promise<ByteSource>;

/** A file that is in memory. */
export function memorySource(name: string, bytes: Uint8Array<ArrayBuffer>): ByteSource {
  return {
    name,
    size: bytes.byteLength,
    async read(start, length) {
      checkRange(name, bytes.byteLength, start, length);
      return bytes.slice(start, start + length);
    },
  };
}

/** A browser's File or Blob. */
export function blobSource(
  blob: Blob,
  name = blob instanceof File ? blob.name : 'blob',
): ByteSource {
  return {
    name,
    size: blob.size,
    async read(start, length) {
      checkRange(name, blob.size, start, length);
      try {
        return new Uint8Array(await blob.slice(start, start + length).arrayBuffer());
      } catch (cause) {
        // What browsers say of a file that was changed or removed after it was chosen.
        throw new ScoreCamError(
          'weights',
          `${name} cannot be read at byte ${start}: ${(cause as Error).message} Choose the file again.`,
          { cause },
        );
      }
    },
  };
}

/** @throws ScoreCamError `weights` if a file of `size` bytes does not hold the range. */
export function checkRange(name: string, size: number, start: number, length: number): void {
  const isCount = (n: number) => Number.isSafeInteger(n) && n >= 0;
  if (!isCount(start) || !isCount(length)) {
    throw new ScoreCamError(
      'weights',
      `${name}: ${length} bytes at byte ${start} were asked for; both must be whole numbers from 0 on.`,
    );
  }
  if (start + length <= size) return;
  throw new ScoreCamError(
    'weights',
    `${name} ends at byte ${size}; ${length} bytes were expected at byte ${start}: the file is cut off.`,
  );
}
