import type { ByteSource } from '../bytes/byte-source';

/**
 * The same file, with its first bytes at hand: who has looked at them to recognise the format need not
 * make the file go backwards, which costs a request over the network and may fail.
 * @param head The file's first bytes.
 */
export function withHead(file: ByteSource, head: Uint8Array<ArrayBuffer>): ByteSource {
  return {
    name: file.name,
    size: file.size,
    async read(start, length) {
      if (start >= head.length) return file.read(start, length);
      if (start + length <= head.length) return head.slice(start, start + length);
      const rest = await file.read(head.length, start + length - head.length);
      const bytes = new Uint8Array(length);
      bytes.set(head.subarray(start));
      bytes.set(rest, head.length - start);
      return bytes;
    },
  };
}
