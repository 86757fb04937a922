import { imageData } from '../../src/explain/pixels';

/** Reading PNG files where nobody decodes images, such as in Deno. */

/**
 * Pixels of a PNG of 8 bits a channel, RGB or RGBA, not interlaced.
 * @throws Error for any other
 */
export async function decodePng(file: Blob): Promise<ImageData> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const view = new DataView(bytes.buffer);
  const packed: BlobPart[] = [];
  let [width, height, channels] = [0, 0, 0];
  for (let at = 8; at < bytes.length; at += 12 + view.getUint32(at)) {
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const data = bytes.subarray(at + 8, at + 8 + view.getUint32(at));
    if (type === 'IDAT') packed.push(data);
    if (type !== 'IHDR') continue;
    width = view.getUint32(at + 8);
    height = view.getUint32(at + 12);
    const [depth, colour = 0, , , interlaced] = data.subarray(8);
    channels = { 2: 3, 6: 4 }[colour] ?? 0;
    if (depth !== 8 || channels === 0 || interlaced !== 0) throw new Error('a PNG of another kind');
  }
  const inflated = new Blob(packed).stream().pipeThrough(new DecompressionStream('deflate'));
  const lines = new Uint8Array(await new Response(inflated).arrayBuffer());
  const stride = width * channels;
  const pixels = new Uint8ClampedArray(4 * width * height).fill(255);
  // Undone in place: a line behind the byte that says its filter.
  for (let y = 0; y < height; y++) {
    const start = y * (stride + 1) + 1;
    const filter = lines[start - 1];
    for (let x = 0; x < stride; x++) {
      const at = start + x;
      const left = x < channels ? 0 : (lines[at - channels] as number);
      const up = y === 0 ? 0 : (lines[at - stride - 1] as number);
      const corner = y === 0 || x < channels ? 0 : (lines[at - stride - 1 - channels] as number);
      const predicted = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter as number];
      const value = ((lines[at] as number) + (predicted as number)) & 255;
      lines[at] = value;
      pixels[4 * (y * width + Math.floor(x / channels)) + (x % channels)] = value;
    }
  }
  return imageData({ data: pixels, width, height });
}

/** Of the neighbours, the one nearest to left + up - corner. */
function paeth(left: number, up: number, corner: number): number {
  const [a, b, c] = [
    Math.abs(up - corner),
    Math.abs(left - corner),
    Math.abs(left + up - 2 * corner),
  ];
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}
