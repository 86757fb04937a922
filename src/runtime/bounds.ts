import { isWeighted } from '../model/network';
import type { WeightBlock } from '../model/weight-block';
import type { Plan } from '../plan/compile';
import { isSequential } from '../plan/steps';

/*
 * What no sum of a pass can exceed, by the weights alone: of a layer's inputs up to m, an output is at most
 *
 *   m max_o sum_k |weights[o, k]|  +  max_o |bias[o]|
 *
 * no activation makes it larger (those of sequential networks), and neither does pooling; a masked image is between 0 and the
 * image, whose pixels are from 0 to 1 before they are normalised. Where the bound of the last layer is far below what f32
 * holds, no pass overflows, and its kernels need not look for it (BOUNDED in kernels/shared/activation.wgsl). VGG-16's is some
 * 1e29, the embedded model's 1e21.
 */

/** Less than the largest of f32 by what F(4x4) has in between: inputs to 100 fold and products to 361 fold. */
const LIMIT = 3.4e38 / (100 * 361);

/** How much larger than pixels an input may be: metrics add noise to images. */
const NOISE = 100;

/** Whether there are bounds worth asking for: f16 ends at 65504, and int8 weights are not those that came. */
export function canBeBounded({ network, precision, dtype }: Plan): boolean {
  return precision === 'f32' && dtype !== 'int8' && isSequential(network);
}

/** Of a layer: the largest sum of a row's magnitudes, and the largest magnitude of a bias. */
interface Gain {
  sum: number;
  bias: number;
}

/** The bounds of one network, by its weights as they come. */
export class Bounds {
  private readonly plan: Plan;
  private readonly gains = new Map<string, Gain>();

  constructor(plan: Plan) {
    this.plan = plan;
  }

  /** Takes notice of weights that have come. Those that come by columns are not added up: their network has no bound. */
  add(block: WeightBlock): void {
    if (!canBeBounded(this.plan)) return;
    const { name, output } = block.layer;
    const gain: Gain = this.gains.get(name) ?? { sum: 0, bias: 0 };
    this.gains.set(name, gain);
    if (block.kind === 'conv') {
      gain.sum = largestSum(block.weight, output.channels);
      gain.bias = largestSum(block.bias, output.channels);
    } else if (block.kind === 'rows') {
      gain.sum = Math.max(gain.sum, largestSum(block.values, block.count));
    } else if (block.kind === 'bias') {
      gain.bias = largestSum(block.values, output.channels);
    } else {
      gain.sum = Number.POSITIVE_INFINITY;
    }
  }

  /** Whether every sum of a pass is finite, whatever the image and its mask. To be asked when all weights have come. */
  get areFinite(): boolean {
    return canBeBounded(this.plan) && this.largest < LIMIT;
  }

  /** What no output of any layer exceeds. */
  get largest(): number {
    const { largestPixel, layers } = this.plan.network;
    let [most, largest] = [NOISE * largestPixel, 0];
    for (const { name } of layers.filter(isWeighted)) {
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
  let [sum, largest] = [0, 0];
  for (let i = 0, end = values.length / rows; i < values.length; i++) {
    if (i === end) {
      sum = 0;
      end += values.length / rows;
    }
    sum += Math.abs(values[i] as number);
    largest = Math.max(largest, sum);
  }
  return largest;
}
