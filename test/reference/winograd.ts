import type { ConvShape } from '../../src/kernels/conv';
import { sumTolerance } from '../harness/compare';

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

/** |L| X |L|^T, all in absolute values: what roundings of X and of the transform can grow to. */
function spread(left: Matrix, middle: Matrix): number[][] {
  const multiply = (x: Matrix): number[][] =>
    left.map((row) =>
      (x[0] as number[]).map((_, j) =>
        row.reduce((sum, value, k) => sum + Math.abs(value * (x[k]?.[j] as number)), 0),
      ),
    );
  const transpose = (x: Matrix): number[][] =>
    (x[0] as number[]).map((_, j) => x.map((row) => row[j] as number));
  return transpose(multiply(transpose(multiply(middle))));
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
  weights: Float32Array,
): number {
  const { inChannels, outChannels, height, width } = shape;
  const six = [0, 1, 2, 3, 4, 5];
  const filters = Array.from({ length: outChannels * inChannels }, (_, i) => {
    const g = [0, 1, 2].map((y) => [...weights.subarray(9 * i + 3 * y, 9 * i + 3 * y + 3)]);
    return spread(G, g);
  });
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
