import type { Manifest } from '../../src/model/manifest';

/** The image without evidence in f64, [3, height, width], normalised; the blur as one sum over 11 x 11. */
export function baselineReference(
  kind: 'mean' | 'black' | 'blurred',
  { width, height, data }: Pick<ImageData, 'width' | 'height' | 'data'>,
  { input }: Pick<Manifest, 'input'>,
): Float64Array {
  return Float64Array.from({ length: 3 * width * height }, (_, i) => {
    const [c, y, x] = [Math.floor(i / (width * height)), Math.floor(i / width) % height, i % width];
    const mean = input.mean[c] as number;
    const std = input.std[c] as number;
    if (kind === 'mean') return 0;
    if (kind === 'black') return -mean / std;
    let sum = 0;
    let total = 0;
    for (let yy = Math.max(0, y - 5); yy <= Math.min(height - 1, y + 5); yy++) {
      for (let xx = Math.max(0, x - 5); xx <= Math.min(width - 1, x + 5); xx++) {
        const weight = Math.exp(-((yy - y) ** 2 + (xx - x) ** 2) / 50);
        sum += (weight * (data[4 * (yy * width + xx) + c] as number)) / 255;
        total += weight;
      }
    }
    return (sum / total - mean) / std;
  });
}
