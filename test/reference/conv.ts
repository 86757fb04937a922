import type { ConvShape } from '../../src/kernels/convolution/conv';
import { sumTolerance } from '../harness/compare';

/** Exact values and, for each, how far an f32 kernel may be from it. */
export interface Bounded {
  readonly values: Float64Array;
  readonly tolerance: Float64Array;
}

/**
 * Convolution, bias, activation and optional 2x2 max pooling in f64, from weights [O, I, k, k].
 * `inputError` is the absolute error that the inputs themselves may have.
 */
export function convReference(
  shape: ConvShape,
  batch: number,
  input: ArrayLike<number>,
  weights: ArrayLike<number>,
  bias: Float32Array,
  inputError?: ArrayLike<number>,
): Bounded {
  const { inChannels, outChannels, height, width, kernel, activation } = shape;
  const pad = (kernel - 1) / 2;
  const depth = inChannels * kernel * kernel;
  const values = new Float64Array(batch * outChannels * height * width);
  const tolerance = new Float64Array(values.length);
  let at = 0;
  for (let n = 0; n < batch; n++) {
    for (let o = 0; o < outChannels; o++) {
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          let sum = bias[o] as number;
          let magnitude = Math.abs(sum);
          let carried = 0;
          for (let k = 0; k < depth; k++) {
            const row = y + (Math.floor(k / kernel) % kernel) - pad;
            const column = x + (k % kernel) - pad;
            if (row < 0 || row >= height || column < 0 || column >= width) continue;
            const channel = Math.floor(k / (kernel * kernel));
            const index = ((n * inChannels + channel) * height + row) * width + column;
            const weight = weights[o * depth + k] as number;
            const product = weight * (input[index] as number);
            sum += product;
            magnitude += Math.abs(product);
            if (inputError) carried += Math.abs(weight) * (inputError[index] as number);
          }
          values[at] = Math.max(sum, 0) + activation * Math.min(sum, 0);
          // The bias is one more term; the activation and its product round once each.
          tolerance[at] = sumTolerance(depth + 3, magnitude) + carried;
          at++;
        }
      }
    }
  }
  const exact = { values, tolerance };
  return shape.pool ? pooled(exact, batch * outChannels, height, width) : exact;
}

/** Largest of each 2x2; the largest of four wrong values is wrong by no more than the worst of them. */
export function pooled(full: Bounded, planes: number, height: number, width: number): Bounded {
  const rows = Math.floor(height / 2);
  const columns = Math.floor(width / 2);
  const values = new Float64Array(planes * rows * columns);
  const tolerance = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const plane = Math.floor(i / (rows * columns));
    const row = 2 * (Math.floor(i / columns) % rows);
    const first = (plane * height + row) * width + 2 * (i % columns);
    const quad = [first, first + 1, first + width, first + width + 1];
    values[i] = Math.max(...quad.map((at) => full.values[at] as number));
    tolerance[i] = Math.max(...quad.map((at) => full.tolerance[at] as number));
  }
  return { values, tolerance };
}

export interface MaskSpec {
  readonly height: number;
  readonly width: number;
  readonly mapHeight: number;
  readonly mapWidth: number;
  readonly alignCorners: boolean;
}

/** One map at the image's size, as torch.nn.functional.interpolate(mode='bilinear') gives it, in f64. */
export function upsampleReference(map: ArrayLike<number>, spec: MaskSpec): Float64Array {
  const out = new Float64Array(spec.height * spec.width);
  const rows = taps(spec.height, spec.mapHeight, spec.alignCorners);
  const columns = taps(spec.width, spec.mapWidth, spec.alignCorners);
  rows.forEach((row, y) => {
    columns.forEach((column, x) => {
      const value = (r: number, c: number) => map[r * spec.mapWidth + c] as number;
      const blend = (r: number) =>
        (1 - column.weight) * value(r, column.low) + column.weight * value(r, column.high);
      out[y * spec.width + x] = (1 - row.weight) * blend(row.low) + row.weight * blend(row.high);
    });
  });
  return out;
}

function taps(outSize: number, inSize: number, alignCorners: boolean) {
  return Array.from({ length: outSize }, (_, i) => {
    const source = alignCorners
      ? (i * (inSize - 1)) / Math.max(outSize - 1, 1)
      : Math.max(((i + 0.5) * inSize) / outSize - 0.5, 0);
    const low = Math.min(Math.floor(source), inSize - 1);
    return { low, high: Math.min(low + 1, inSize - 1), weight: source - low };
  });
}

/** Smallest and largest value of each upsampled map, in f32: [K, 2]. */
export function rangesReference(maps: Float32Array, count: number, spec: MaskSpec): Float32Array {
  const ranges = new Float32Array(2 * count);
  for (let k = 0; k < count; k++) {
    const up = upsampleReference(planeOf(maps, k, spec), spec);
    ranges[2 * k] = up.reduce((a, b) => Math.min(a, b));
    ranges[2 * k + 1] = up.reduce((a, b) => Math.max(a, b));
  }
  return ranges;
}

/** (upsampled - min) / (max - min) of map `k`, in f64; 0 everywhere for a constant map. */
export function maskReference(
  maps: Float32Array,
  ranges: Float32Array,
  k: number,
  spec: MaskSpec,
): Float64Array {
  const smallest = ranges[2 * k] as number;
  const largest = ranges[2 * k + 1] as number;
  const up = upsampleReference(planeOf(maps, k, spec), spec);
  return largest > smallest ? up.map((v) => (v - smallest) / (largest - smallest)) : up.fill(0);
}

/**
 * Absolute error a mask value computed in f32 may have. With A the map's largest absolute value, the
 * two weights of a row and of a column round by at most 2 u each (u = 2^-24) and the blend of four
 * samples takes at most 6 more roundings on its way: 16 u A is above it. The subtraction keeps that and
 * rounds once more (2 u A). The range divides it; WGSL lets the quotient (at most about 1) be wrong by
 * 2.5 ULP = 5 u, and the range itself rounds once.
 */
export function maskError(
  maps: Float32Array,
  ranges: Float32Array,
  k: number,
  spec: MaskSpec,
): number {
  const u = 2 ** -24;
  const largest = planeOf(maps, k, spec).reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  const range = (ranges[2 * k + 1] as number) - (ranges[2 * k] as number);
  return range > 0 ? (18 * u * largest) / range + 8 * u : 0;
}

function planeOf(maps: Float32Array, k: number, spec: MaskSpec): Float32Array {
  const size = spec.mapHeight * spec.mapWidth;
  return maps.subarray(k * size, (k + 1) * size);
}
