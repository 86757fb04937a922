import type { ConvShape } from '../../src/kernels/convolution/conv';
import type { StoredDtype } from '../../src/numbers/dtypes';
import { sumTolerance } from '../harness/compare';
import type { Bounded } from './conv';

type Matrix = readonly (readonly number[])[];

type Matrices = Readonly<Record<'B_T' | 'G' | 'A_T', Matrix>>;

/** Of F(4x4, 3x3), interpolated at 0, +-3/4, +-3/2 and infinity (Lavin and Gray 2016, section 4.1). */
const F4: Matrices = {
  B_T: [
    [81 / 64, 0, -45 / 16, 0, 1, 0],
    [0, -27 / 16, -9 / 4, 3 / 4, 1, 0],
    [0, 27 / 16, -9 / 4, -3 / 4, 1, 0],
    [0, -27 / 32, -9 / 16, 3 / 2, 1, 0],
    [0, 27 / 32, -9 / 16, -3 / 2, 1, 0],
    [0, 81 / 64, 0, -45 / 16, 0, 1],
  ],
  G: [
    [64 / 81, 0, 0],
    [-128 / 243, -32 / 81, -8 / 27],
    [-128 / 243, 32 / 81, -8 / 27],
    [32 / 243, 16 / 81, 8 / 27],
    [32 / 243, -16 / 81, 8 / 27],
    [0, 0, 1],
  ],
  A_T: [
    [1, 1, 1, 1, 1, 0],
    [0, 3 / 4, -3 / 4, 3 / 2, -3 / 2, 0],
    [0, 9 / 16, 9 / 16, 9 / 4, 9 / 4, 0],
    [0, 27 / 64, -27 / 64, 27 / 8, -27 / 8, 1],
  ],
};

/** Of F(2x2, 3x3), interpolated at 0, +-1 and infinity. */
const F2: Matrices = {
  B_T: [
    [1, 0, -1, 0],
    [0, 1, 1, 0],
    [0, -1, 1, 0],
    [0, 1, 0, -1],
  ],
  G: [
    [1, 0, 0],
    [1 / 2, 1 / 2, 1 / 2],
    [1 / 2, -1 / 2, 1 / 2],
    [0, 0, 1],
  ],
  A_T: [
    [1, 1, 1, 0],
    [0, 1, -1, -1],
  ],
};

/** How the tensors between the kernels are stored; of one kernel, the filters alone. */
export interface Stored {
  readonly precision: StoredDtype;
  /** Products and sums of 16 of them in f16, and V. */
  readonly products?: 'f16' | undefined;
  /** Outputs of a tile each way. Default 4. */
  readonly outputs?: 2 | 4;
  /** Default: F(2x2), which has one kernel only. */
  readonly inOneKernel?: boolean;
}

const F32: Stored = { precision: 'f32' };

/** A conversion to f16 may err by one unit in the last of 11 bits; below 2^-14 those bits stay where they are. */
const HALF = 2 ** -10;
/** The sizes below which U, V and M lose bits in f16, as stored_f16.wgsl scales them. */
const LEAST = { u: 2 ** -14 / 32, v: 2 ** -14 * 32, m: 2 ** -14 * 16 } as const;

/** L X L^T */
function sandwich(left: Matrix, middle: Matrix): number[][] {
  const multiply = (x: Matrix): number[][] =>
    left.map((row) =>
      (x[0] as number[]).map((_, j) =>
        row.reduce((sum, value, k) => sum + value * (x[k]?.[j] as number), 0),
      ),
    );
  const transpose = (x: Matrix): number[][] =>
    (x[0] as number[]).map((_, j) => x.map((row) => row[j] as number));
  return transpose(multiply(transpose(multiply(middle))));
}

const absolute = (x: Matrix): number[][] => x.map((row) => row.map(Math.abs));

/** The same, all in absolute values: what roundings of X and of the transform can grow to. */
function spread(left: Matrix, middle: Matrix): number[][] {
  return sandwich(absolute(left), absolute(middle));
}

function filterAt(weights: ArrayLike<number>, index: number): number[][] {
  return [0, 1, 2].map((y) => [0, 1, 2].map((x) => weights[9 * index + 3 * y + x] as number));
}

/**
 * U = G g G^T of every filter of weights [O, I, 3, 3] in f64, as [products, I, O rounded up to 8] for several kernels, and
 * for one as [O / 32, I / S, S, products, 32], both quotients rounded up, S being 4 of F(2x2) and 3 of F(4x4); and how far
 * an f32 kernel may be from it. Each pass rounds its three coefficients once, each product with them once
 * (WGSL lets a quotient be wrong by 2.5 ULP = 5 u) and its two sums once.
 */
export function filtersReference(
  weights: ArrayLike<number>,
  { inChannels, outChannels }: Pick<ConvShape, 'inChannels' | 'outChannels'>,
  { precision, outputs = 4, inOneKernel = outputs === 2 }: Stored = F32,
): Bounded {
  const { G } = outputs === 2 ? F2 : F4;
  const side = outputs + 2;
  const stride = 8 * Math.ceil(outChannels / 8);
  const step = outputs === 2 ? 4 : 3;
  const padded = step * Math.ceil(inChannels / step);
  const blocked = padded * 32 * Math.ceil(outChannels / 32);
  const values = new Float64Array(side * side * (inOneKernel ? blocked : inChannels * stride));
  const placeOf = (e: number, c: number, o: number): number =>
    inOneKernel
      ? ((Math.floor(o / 32) * padded + c) * side * side + e) * 32 + (o % 32)
      : (e * inChannels + c) * stride + o;
  const tolerance = new Float64Array(values.length);
  for (let o = 0; o < outChannels; o++) {
    for (let c = 0; c < inChannels; c++) {
      const filter = filterAt(weights, o * inChannels + c);
      const magnitude = spread(G, filter);
      sandwich(G, filter).forEach((row, i) => {
        row.forEach((value, j) => {
          const at = placeOf(side * i + j, c, o);
          values[at] = value;
          tolerance[at] = sumTolerance(2 * (1 + 5 + 2), magnitude[i]?.[j] as number);
          if (precision === 'f16') {
            tolerance[at] = (tolerance[at] as number) + HALF * (Math.abs(value) + LEAST.u);
          }
        });
      });
    }
  }
  return { values, tolerance };
}

/**
 * Error that may be made anywhere in the output: every one of the sums (n + n of the input transform for tiles
 * of n x n pixels, channels of the product, n + n of the output transform, 3 + 3 of the filters) rounds relative to
 * the absolute values it adds, |A|^T [sum_c |G||g||G|^T o |B^T|d||B|] |A|; the largest of all tiles. Stored as f16,
 * U, V and M each round once more, in one kernel U. With products in f16 V rounds twice, pixels and their differences, and
 * each product and each of 16 sums once.
 */
export function winogradTolerance(
  shape: ConvShape,
  batch: number,
  input: Float32Array,
  weights: ArrayLike<number>,
  { precision, products, outputs = 4, inOneKernel = outputs === 2 }: Stored = F32,
): number {
  const { inChannels, outChannels, height, width } = shape;
  const { B_T, G, A_T } = outputs === 2 ? F2 : F4;
  const side = Array.from({ length: outputs + 2 }, (_, i) => i);
  const half = precision === 'f16';
  const none = { u: 0, v: 0, m: 0 };
  const least = !half
    ? none
    : products
      ? { ...none, u: LEAST.u, v: LEAST.v }
      : inOneKernel
        ? { ...none, u: LEAST.u }
        : LEAST;
  const filters = Array.from({ length: outChannels * inChannels }, (_, i) =>
    spread(G, filterAt(weights, i)),
  );
  let largest = 0;
  for (let n = 0; n < batch; n++) {
    for (let y = 0; y < height; y += outputs) {
      for (let x = 0; x < width; x += outputs) {
        const patches = Array.from({ length: inChannels }, (_, c) => {
          const at = (row: number, column: number): number =>
            row < 0 || row >= height || column < 0 || column >= width
              ? 0
              : (input[((n * inChannels + c) * height + row) * width + column] as number);
          return spread(
            B_T,
            side.map((i) => side.map((j) => at(y + i - 1, x + j - 1))),
          );
        });
        for (let o = 0; o < outChannels; o++) {
          const product = side.map((i) =>
            side.map((j) =>
              patches.reduce((sum, patch, c) => {
                const filter = filters[o * inChannels + c] as number[][];
                const v = (patch[i]?.[j] as number) + least.v;
                return sum + v * ((filter[i]?.[j] as number) + least.u);
              }, least.m),
            ),
          );
          largest = Math.max(largest, ...spread(A_T, product).flat());
        }
      }
    }
  }
  const sums = sumTolerance(inChannels + 4 * side.length + 3 + 3, largest);
  const roundings = products ? 1 + 2 + 16 : inOneKernel ? 1 : 3;
  return half ? sums + roundings * HALF * largest : sums;
}

/** M[e] = U[e]^T V[e] of [products, channels, outStride] and [products, channels, stride]. */
export function productReference(
  u: ArrayLike<number>,
  v: ArrayLike<number>,
  sizes: { products: number; channels: number; outStride: number; stride: number },
): Bounded {
  const { products, channels, outStride, stride } = sizes;
  const values = new Float64Array(products * outStride * stride);
  const magnitude = new Float64Array(values.length);
  for (let e = 0; e < products; e++) {
    for (let c = 0; c < channels; c++) {
      for (let o = 0; o < outStride; o++) {
        const factor = u[(e * channels + c) * outStride + o] as number;
        for (let t = 0; t < stride; t++) {
          const at = (e * outStride + o) * stride + t;
          const term = factor * (v[(e * channels + c) * stride + t] as number);
          values[at] = (values[at] as number) + term;
          magnitude[at] = (magnitude[at] as number) + Math.abs(term);
        }
      }
    }
  }
  return { values, tolerance: magnitude.map((sum) => sumTolerance(channels, sum)) };
}
