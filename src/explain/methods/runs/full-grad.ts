import {
  type ConvLayer,
  IMAGE,
  type Shape,
  sizeOf,
  type WindowConvLayer,
} from '../../../model/network';
import { checkFinite } from '../../../numbers/finite';
import { convStep } from '../../../plan/compile';
import { beforeActivation } from '../../../plan/steps';
import { gradients, readTape } from '../../../runtime/backward';
import type { Runner } from '../../../runtime/runner';
import type { Evidence } from '../../evidence';
import type { Forward } from '../../forward';
import { questionOf } from '../finer';
import type { RunOptions } from '../method';
import { blend, place } from './bilinear';
import { ofImage } from './of-image';

/** Keeps the quotient finite where a map is constant; pytorch-grad-cam's value. */
const EPSILON = 1e-7;

/** A convolution's share of the score: its biases, and the shape of its output. */
interface Biased {
  readonly name: string;
  readonly shape: Shape;
  readonly bias: Float32Array;
}

/**
 * FullGrad (Srinivas and Fleuret 2019, Eq. 8): psi of the image times its gradient, and psi of every bias of a convolution
 * times the gradient before the activation, summed up over all channels of all layers; psi is the magnitude, min-max
 * normalised and upsampled. A batch norm counts as part of the convolution that it is folded into.
 */
export async function fullGrad(forward: Forward, { choice }: RunOptions): Promise<Evidence> {
  const { runner, input, logits, kept } = forward;
  const { network, gpu } = runner;
  const { of = 'logit' } = choice;
  const [image] = await gpu.compute('image', [], [input]);
  const tape = await readTape(runner, logits, kept, [IMAGE]);
  const layers = await biases(runner);
  return {
    rule: { relu: 'none', alignCorners: false },
    passes: { forward: 0, backward: 0, head: 0 },
    passesOfClass: { forward: 0, backward: 1, head: 0 },
    ofClass: async (classIndex) => {
      const score = { question: await questionOf(classIndex, logits, choice), of };
      const tensors = layers.map(({ name }) => beforeActivation(name));
      const found = await gradients(runner, tape, [IMAGE], score, tensors);
      for (const [name, values] of found) checkFinite(values, `The gradients of ${name}`);
      const { height, width } = network.input;
      const sum = new Float64Array(height * width);
      const share = (gradient: Float32Array, factor: (i: number) => number, shape: Shape) =>
        addUpsampled(sum, network.input, magnitudes(gradient, factor, shape), shape);
      share(
        found.get(IMAGE) as Float32Array,
        (i) => (image as Float32Array)[i] as number,
        network.input,
      );
      for (const [i, { bias, shape }] of layers.entries()) {
        const gradient = found.get(tensors[i] as string) as Float32Array;
        const pixels = shape.height * shape.width;
        share(gradient, (at) => bias[Math.floor(at / pixels)] as number, shape);
      }
      return [ofImage(Float32Array.from(sum), height, width)];
    },
  };
}

/** The biases of all convolutions, read back from the GPU. */
async function biases({ network, plan, weights, gpu }: Runner): Promise<Biased[]> {
  const layers = network.layers.filter(
    (layer): layer is ConvLayer | WindowConvLayer =>
      layer.type === 'conv' || layer.type === 'windowconv',
  );
  const slices = layers.map((layer) => weights.conv(convStep(plan, layer)).bias);
  const read = await gpu.compute('biases', [], slices);
  return layers.map(({ name, output }, i) => ({
    name,
    shape: output,
    bias: read[i] as Float32Array,
  }));
}

/** The sum over the channels of |factor gradient|, each channel min-max normalised. */
function magnitudes(
  gradient: Float32Array,
  factor: (i: number) => number,
  shape: Shape,
): Float64Array {
  const pixels = shape.height * shape.width;
  const sum = new Float64Array(pixels);
  for (let from = 0; from < sizeOf(shape); from += pixels) {
    const map = Float64Array.from({ length: pixels }, (_, i) =>
      Math.abs(factor(from + i) * (gradient[from + i] as number)),
    );
    const min = map.reduce((a, b) => Math.min(a, b));
    const range = map.reduce((a, b) => Math.max(a, b)) - min + EPSILON;
    map.forEach((value, i) => {
      sum[i] = (sum[i] as number) + (value - min) / range;
    });
  }
  return sum;
}

/** Upsampling is linear: that of the sum is the sum of the channels' own. */
function addUpsampled(
  sum: Float64Array,
  { height, width }: Shape,
  map: Float64Array,
  shape: Shape,
): void {
  for (let y = 0; y < height; y++) {
    const { low, high, share } = place(y, height / shape.height, shape.height);
    for (let x = 0; x < width; x++) {
      const column = place(x, width / shape.width, shape.width);
      const upper = blend(map, low * shape.width, column);
      const lower = blend(map, high * shape.width, column);
      const at = y * width + x;
      sum[at] = (sum[at] as number) + upper + share * (lower - upper);
    }
  }
}
