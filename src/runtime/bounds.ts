import type { WeightBlock } from '../model/weight-block';
import type { Plan } from '../plan/compile';
import { isSequential } from '../plan/steps';

/*
 * What no sum of a pass's convolutions can exceed, by the weights alone: of a layer's inputs up to m, an output is at most
 *
 *   m max_o sum_k |weights[o, k]|  +  max_o |bias[o]|
 *
 * no activation makes it larger (those of sequential networks), and neither does pooling; a masked image is between 0 and the
 * image, whose pixels are from 0 to 1 before they are normalised. Where the bound is far below what f32 holds, no convolution
 * overflows, and their kernels need not look for it (BOUNDED in kernels/shared/activation.wgsl). Fully connected layers look
 * for themselves.
 */

/** Less than the largest of f32 by what F(4x4) has in between: inputs to 100 fold and products to 361 fold. */
const LIMIT = 3.4e38 / (100 * 361);

/** How much larger than pixels an input may be: metrics add noise to images. */
const NOISE = 100;

/** Whether there is a bound worth asking for: what f16 stores ends at 65504. */
export function canBeBounded({ network, precision }: Pick<Plan, 'network' | 'precision'>): boolean {
  return precision === 'f32' && isSequential(network);
}

/** The bound of one network, by its weights as they come. */
export class Bounds {
  private readonly plan: Plan;
  /** Of each convolution: the largest sum of a filter's magnitudes, and the largest magnitude of a bias. */
  private readonly gains = new Map<string, { readonly sum: number; readonly bias: number }>();

  constructor(plan: Plan) {
    this.plan = plan;
  }

  /** Takes notice of weights that have come. */
  add(block: WeightBlock): void {
    if (block.kind !== 'conv') return;
    const { layer, weight, bias } = block;
    const { channels } = layer.output;
    this.gains.set(layer.name, {
      sum: largestSum(weight, channels),
      bias: largestSum(bias, channels),
    });
  }

  /** Whether every sum of a convolution is finite, whatever the image and its mask. To be asked when all weights have come. */
  get areFinite(): boolean {
    return canBeBounded(this.plan) && this.largest < LIMIT;
  }

  /** What no output of any convolution exceeds. */
  get largest(): number {
    const { largestPixel, layers } = this.plan.network;
    let [most, largest] = [NOISE * largestPixel, 0];
    for (const { name } of layers.filter(({ type }) => type === 'conv')) {
      const { sum, bias } = this.gains.get(name) ?? { sum: Number.POSITIVE_INFINITY, bias: 0 };
      most = most * sum + bias;
      // Weights of 0 bring it down again.
      largest = Math.max(largest, most);
    }
    return largest;
  }
}

/** Of [rows, ...] values the largest sum of a row's magnitudes. */
function largestSum(values: Float32Array, rows: number): number {
  const length = values.length / rows;
  let largest = 0;
  for (let row = 0; row < values.length; row += length) {
    let sum = 0;
    for (let i = row; i < row + length; i++) sum += Math.abs(values[i] as number);
    largest = Math.max(largest, sum);
  }
  return largest;
}
