/** Writing PNG files wherever JavaScript runs. */
import type { Pixels } from '../../src/explain/pixels';

/** The pixels as a PNG of 8 bits a channel: RGBA, or RGB where no pixel is transparent. */
export async function pngOf({ data, width, height }: Pixels): Promise<Blob> {
  const isOpaque = data.every((value, i) => i % 4 < 3 || value === 255);
  const channels = isOpaque ? 3 : 4;
  const lines = Array.from({ length: height }, (_, y) => [
    0,
    ...data.subarray(4 * y * width, 4 * (y + 1) * width).filter((__, i) => i % 4 < channels),
  ]);
  const header = [...word(width), ...word(height), 8, isOpaque ? 2 : 6, 0, 0, 0];
  const packed = new Blob([Uint8Array.from(lines.flat())])
    .stream()
    .pipeThrough(new CompressionStream('deflate'));
  const parts = [
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk('IHDR', header),
    chunk('IDAT', new Uint8Array(await new Response(packed).arrayBuffer())),
    chunk('IEND', []),
  ];
  return new Blob(parts, { type: 'image/png' });
}

const word = (value: number): number[] => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255);

function chunk(type: string, bytes: Iterable<number>): Uint8Array<ArrayBuffer> {
  const body = [...new TextEncoder().encode(type), ...bytes];
  return Uint8Array.from([...word(body.length - 4), ...body, ...word(crc32(body))]);
}

function crc32(bytes: readonly number[]): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc;
}
