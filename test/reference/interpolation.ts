import type { Interpolation } from '../../src/kernels/shared/interpolation';

/** Position in a row of `inSize` samples that output `i` of `outSize` reads, as torch defines it. */
function source(i: number, inSize: number, outSize: number, alignCorners: boolean): number {
  if (alignCorners) return outSize === 1 ? 0 : (i * (inSize - 1)) / (outSize - 1);
  return Math.max(((i + 0.5) * inSize) / outSize - 0.5, 0);
}

/** torch.nn.functional.interpolate(mode='bilinear') of every map of [count, h, w], in f64. */
export function upsampleReference(maps: ArrayLike<number>, size: Interpolation): Float64Array {
  const { mapHeight, mapWidth, height, width, alignCorners } = size;
  const count = maps.length / (mapHeight * mapWidth);
  const out = new Float64Array(count * height * width);
  for (let m = 0; m < count; m++) {
    for (let y = 0; y < height; y++) {
      const sy = source(y, mapHeight, height, alignCorners);
      const y0 = Math.min(Math.floor(sy), mapHeight - 1);
      const y1 = Math.min(y0 + 1, mapHeight - 1);
      for (let x = 0; x < width; x++) {
        const sx = source(x, mapWidth, width, alignCorners);
        const x0 = Math.min(Math.floor(sx), mapWidth - 1);
        const x1 = Math.min(x0 + 1, mapWidth - 1);
        const at = (my: number, mx: number): number =>
          maps[(m * mapHeight + my) * mapWidth + mx] as number;
        const top = at(y0, x0) * (1 - (sx - x0)) + at(y0, x1) * (sx - x0);
        const bottom = at(y1, x0) * (1 - (sx - x0)) + at(y1, x1) * (sx - x0);
        out[(m * height + y) * width + x] = top * (1 - (sy - y0)) + bottom * (sy - y0);
      }
    }
  }
  return out;
}

/** Smallest and largest value. */
export function rangeOf(values: ArrayLike<number>): { min: number; max: number } {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    min = Math.min(min, values[i] as number);
    max = Math.max(max, values[i] as number);
  }
  return { min, max };
}

/** (v - min) / (max - min), in f64; zeros where max = min. */
export function normaliseReference(values: ArrayLike<number>): Float64Array {
  const { min, max } = rangeOf(values);
  return Float64Array.from(values, (value) => (max > min ? (value - min) / (max - min) : 0));
}
