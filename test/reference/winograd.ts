import type { ConvShape } from '../../src/kernels/conv';
import { sumTolerance } from '../harness/compare';
import type { Bounded } from './conv';

/** The matrices of F(4x4, 3x3) (Lavin and Gray 2016, section 4.1). */
const B_T = [
  [4, 0, -5, 0, 1, 0],
  [0, -4, -4, 1, 1, 0],
  [0, 4, -4, -1, 1, 0],
  [0, -2, -1, 2, 1, 0],
  [0, 2, -1, -2, 1, 0],
  [0, 4, 0, -5, 0, 1],
];
const G = [
  [1 / 4, 0, 0],
  [-1 / 6, -1 / 6, -1 / 6],
  [-1 / 6, 1 / 6, -1 / 6],
  [1 / 24, 1 / 12, 1 / 6],
  [1 / 24, -1 / 12, 1 / 6],
  [0, 0, 1],
];
const A_T = [
  [1, 1, 1, 1, 1, 0],
  [0, 1, -1, 2, -2, 0],
  [0, 1, 1, 4, 4, 0],
  [0, 1, -1, 8, -8, 1],
];

type Matrix = readonly (readonly number[])[];

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
 * U = G g G^T of every filter of weights [O, I, 3, 3] in f64, as [36, I, O rounded up to 8], and how far
 * an f32 kernel may be from it. Each pass rounds its three coefficients once, each product with them once
 * (WGSL lets a quotient be wrong by 2.5 ULP = 5 u) and its two sums once.
 */
export function filtersReference(
  weights: ArrayLike<number>,
  { inChannels, outChannels }: Pick<ConvShape, 'inChannels' | 'outChannels'>,
): Bounded {
  const stride = 8 * Math.ceil(outChannels / 8);
  const values = new Float64Array(36 * inChannels * stride);
  const tolerance = new Float64Array(values.length);
  for (let o = 0; o < outChannels; o++) {
    for (let c = 0; c < inChannels; c++) {
      const filter = filterAt(weights, o * inChannels + c);
      const magnitude = spread(G, filter);
      sandwich(G, filter).forEach((row, i) => {
        row.forEach((value, j) => {
          const at = ((6 * i + j) * inChannels + c) * stride + o;
          values[at] = value;
          tolerance[at] = sumTolerance(2 * (1 + 5 + 2), magnitude[i]?.[j] as number);
        });
      });
    }
  }
  return { values, tolerance };
}

/**
 * Error that f32 may make anywhere in the output: every one of the sums (6 + 6 of the input transform,
 * channels of the product, 6 + 6 of the output transform, 3 + 3 of the filters) rounds relative to the
 * absolute values it adds, |A|^T [sum_c |G||g||G|^T o |B|^T|d||B|] |A|; the largest of all tiles.
 */
export function winogradTolerance(
  shape: ConvShape,
  batch: number,
  input: Float32Array,
  weights: ArrayLike<number>,
): number {
  const { inChannels, outChannels, height, width } = shape;
  const six = [0, 1, 2, 3, 4, 5];
  const filters = Array.from({ length: outChannels * inChannels }, (_, i) =>
    spread(G, filterAt(weights, i)),
  );
  let largest = 0;
  for (let n = 0; n < batch; n++) {
    for (let y = 0; y < height; y += 4) {
      for (let x = 0; x < width; x += 4) {
        const patches = Array.from({ length: inChannels }, (_, c) => {
          const at = (row: number, column: number): number =>
            row < 0 || row >= height || column < 0 || column >= width
              ? 0
              : (input[((n * inChannels + c) * height + row) * width + column] as number);
          return spread(
            B_T,
            six.map((i) => six.map((j) => at(y + i - 1, x + j - 1))),
          );
        });
        for (let o = 0; o < outChannels; o++) {
          const product = six.map((i) =>
            six.map((j) =>
              patches.reduce((sum, patch, c) => {
                const filter = filters[o * inChannels + c] as number[][];
                return sum + (patch[i]?.[j] as number) * (filter[i]?.[j] as number);
              }, 0),
            ),
          );
          largest = Math.max(largest, ...spread(A_T, product).flat());
        }
      }
    }
  }
  return sumTolerance(inChannels + 6 + 6 + 6 + 6 + 3 + 3, largest);
}
