import { concatenate } from './weight-writers';

export interface ZipFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly method?: number;
  readonly flags?: number;
}

/** A zip archive whose entries are stored, after APPNOTE.TXT 6.3; CRCs, which nobody reads, are 0. */
export function writeZip(
  files: readonly ZipFile[],
  { isZip64 = false, comment = '' } = {},
): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  const put = (...added: Uint8Array[]): void => {
    for (const part of added) {
      parts.push(part);
      at += part.length;
    }
  };
  for (const { name, bytes, method = 0, flags = 0 } of files) {
    const encoded = new TextEncoder().encode(name);
    const header = at;
    const { length } = bytes;
    // The local header's padding differs from the directory's, as PyTorch's does.
    const padding = 4 + (header % 7);
    put(
      numbers([0x04034b50, 4], [20, 2], [flags, 2], [method, 2], [0, 4], [0, 4], [length, 4]),
      numbers([length, 4], [encoded.length, 2], [padding, 2]),
      encoded,
      numbers([0x4246, 2], [padding - 4, 2]),
      new Uint8Array(padding - 4),
      bytes,
    );
    const large = 0xffffffff;
    const extra = isZip64
      ? numbers([1, 2], [24, 2], [length, 8], [length, 8], [header, 8])
      : new Uint8Array(0);
    directory.push(
      numbers([0x02014b50, 4], [20, 2], [20, 2], [flags, 2], [method, 2], [0, 4], [0, 4]),
      numbers([isZip64 ? large : length, 4], [isZip64 ? large : length, 4]),
      numbers([encoded.length, 2], [extra.length, 2], [0, 2], [0, 2], [0, 2], [0, 4]),
      numbers([isZip64 ? large : header, 4]),
      encoded,
      extra,
    );
  }
  const start = at;
  put(...directory);
  const bytes = at - start;
  const count = files.length;
  if (isZip64) {
    const record = at;
    put(
      numbers([0x06064b50, 4], [44, 8], [45, 2], [45, 2], [0, 4], [0, 4]),
      numbers([count, 8], [count, 8], [bytes, 8], [start, 8]),
      numbers([0x07064b50, 4], [0, 4], [record, 8], [1, 4]),
    );
  }
  const text = new TextEncoder().encode(comment);
  put(
    numbers([0x06054b50, 4], [0, 2], [0, 2], [isZip64 ? 0xffff : count, 2]),
    numbers([isZip64 ? 0xffff : count, 2], [isZip64 ? 0xffffffff : bytes, 4]),
    numbers([isZip64 ? 0xffffffff : start, 4], [text.length, 2]),
    text,
  );
  return concatenate(parts);
}

/** Little-endian numbers of 2, 4 or 8 bytes. */
function numbers(...values: readonly (readonly [value: number, bytes: 2 | 4 | 8])[]): Uint8Array {
  return concatenate(
    values.map(([value, bytes]) =>
      new Uint8Array(BigUint64Array.of(BigInt(value)).buffer).slice(0, bytes),
    ),
  );
}
