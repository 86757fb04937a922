import {
  type ConvLayer,
  IMAGE,
  type Layer,
  type Network,
  type WindowConvLayer,
} from '../model/network';
import type { WeightBlock } from '../model/weight-block';
import { mostOf } from '../numbers/activation';
import type { Plan } from '../plan/compile';

/*
 * What no sum of a pass's convolutions can exceed, by the weights alone: of a layer's inputs up to m, an output is at most
 *
 *   m max_o sum_k |weights[o, k]|  +  max_o |bias[o]|
 *
 * or what its activation ends at; pooling makes nothing larger, and a masked image is between 0 and the image, whose pixels
 * are from 0 to 1 before they are normalised. Where the bound is far below what f32 holds, no convolution overflows, and their
 * kernels need not look for it (BOUNDED in kernels/shared/activation.wgsl). Fully connected layers look for themselves.
 */

/** Less than the largest of f32 by what F(4x4) has in between: inputs to 100 fold and products to 361 fold. */
const LIMIT = 3.4e38 / (100 * 361);

/** How much larger than pixels an input may be: metrics add noise to images. */
const NOISE = 100;

/** Of a convolution: the largest sum of a filter's magnitudes, and the largest magnitude of a bias. */
interface Gain {
  readonly sum: number;
  readonly bias: number;
}

type Convolution = ConvLayer | WindowConvLayer;

/** The bound of one network, by its weights as they come. */
export class Bounds {
  private readonly plan: Pick<Plan, 'network' | 'precision'>;
  private readonly gains = new Map<string, Gain>();

  constructor(plan: Pick<Plan, 'network' | 'precision'>) {
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
    return areFinite(this.plan, ({ name }) => this.gains.get(name));
  }

  /** What no sum exceeds. */
  get largest(): number {
    return largestOf(this.plan.network, ({ name }) => this.gains.get(name));
  }
}

/** Whether sums are likely to be bounded, before the weights have come: as of those that training begins with (He et al. 2015). */
export function expectsBounds(plan: Pick<Plan, 'network' | 'precision'>): boolean {
  return areFinite(plan, (layer) => {
    const groups = layer.type === 'conv' ? 1 : layer.groups;
    const [height, width] =
      layer.type === 'conv' ? [layer.kernel, layer.kernel] : layer.window.kernel;
    const count = (layer.input.channels / groups) * height * width;
    return { sum: Math.sqrt(2 * count), bias: 1 };
  });
}

/** What f16 stores between kernels ends at 65504: nothing is bounded there. */
function areFinite(
  { network, precision }: Pick<Plan, 'network' | 'precision'>,
  gainOf: (layer: Convolution) => Gain | undefined,
): boolean {
  return precision === 'f32' && largestOf(network, gainOf) < LIMIT;
}

function largestOf(
  { largestPixel, layers }: Network,
  gainOf: (layer: Convolution) => Gain | undefined,
): number {
  const most = new Map([[IMAGE, NOISE * largestPixel]]);
  let largest = 0;
  for (const layer of layers) {
    const inputs = layer.inputs.map((name) => most.get(name) as number);
    const sum = sumOf(layer, inputs, gainOf);
    // Weights of 0 bring it down again. What is averaged is added up first.
    const { height, width } = layer.input;
    largest = Math.max(largest, averages(layer) ? sum * height * width : sum);
    most.set(layer.name, 'activation' in layer ? mostOf(layer.activation, sum) : sum);
  }
  return largest;
}

/** What a layer's sums do not exceed, of inputs up to these. */
function sumOf(
  layer: Layer,
  inputs: readonly number[],
  gainOf: (layer: Convolution) => Gain | undefined,
): number {
  const input = Math.max(...inputs);
  switch (layer.type) {
    case 'conv':
    case 'windowconv': {
      const gain = gainOf(layer);
      return gain ? input * gain.sum + gain.bias : Number.POSITIVE_INFINITY;
    }
    case 'add':
      return inputs.reduce((a, b) => a + b);
    case 'multiply':
      return inputs.reduce((a, b) => a * b);
    case 'linear':
      // Nothing but its like reads it.
      return 0;
    default:
      return input;
  }
}

function averages(layer: Layer): boolean {
  return layer.type === 'globalavgpool' || (layer.type === 'windowpool' && layer.of === 'average');
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
