import { ScoreCamError } from '../errors';
import type { WeightDtype } from '../numbers/dtypes';
import { release } from '../numbers/release';
import { readFinite } from './finite-tensors';
import { type LinearLayer, type Shape, sizeOf, type WeightedLayer, weightShape } from './network';
import { type BlockOptions, CHUNK, type WeightBlock } from './weight-block';
import type { WeightSource } from './weight-source';

/*
 * Weights as Keras lays them out, [k, k, in, out] and [in, out]: as blocks in the project's order. Loaded with the first
 * such file.
 */

/** @throws ScoreCamError `weights` where nobody says whether the input is RGB or BGR */
export function checkChannelOrder(
  source: WeightSource,
  channelOrder: BlockOptions['channelOrder'],
): void {
  if (channelOrder) return;
  throw new ScoreCamError(
    'weights',
    `${source.name} is a Keras model, whose input is usually BGR with the mean subtracted; the model ` +
      'chosen does not say so. Choose vgg16-keras or vgg19-keras, or a manifest whose weights say ' +
      '"channelOrder": "bgr" or "rgb" and whose input says the mean.',
  );
}

/** [height, width, in, out] to [out, in, height, width] */
export function fromHwio(values: Float32Array, layer: WeightedLayer): Float32Array<ArrayBuffer> {
  const [outputs = 0, inputs = 0] = weightShape(layer);
  const taps = values.length / (inputs * outputs);
  const weight = new Float32Array(values.length);
  for (let tap = 0; tap < taps; tap++) {
    for (let i = 0; i < inputs; i++) {
      for (let o = 0; o < outputs; o++) {
        weight[(o * inputs + i) * taps + tap] = values[(tap * inputs + i) * outputs + o] as number;
      }
    }
  }
  return weight;
}

/** Quantising by rows needs each output's largest weight first: a pass over the tensor of its own. */
export async function* columnBlocks(
  source: WeightSource,
  name: string,
  layer: LinearLayer,
  unflattened: Shape,
  dtype: WeightDtype,
): AsyncGenerator<WeightBlock> {
  const largest = dtype === 'int8' ? new Float32Array(layer.output.channels) : undefined;
  if (largest) {
    for await (const { values } of columns(source, name, layer)) {
      for (let i = 0; i < values.length; i++) {
        const o = i % largest.length;
        largest[o] = Math.max(largest[o] as number, Math.abs(values[i] as number));
      }
    }
  }
  for await (const piece of columns(source, name, layer)) {
    yield { kind: 'columns', layer, unflattened, ...piece, largest };
  }
}

async function* columns(
  source: WeightSource,
  name: string,
  layer: LinearLayer,
): AsyncGenerator<{ first: number; count: number; values: Float32Array<ArrayBuffer> }> {
  const inFeatures = sizeOf(layer.input);
  const outFeatures = layer.output.channels;
  const most = Math.max(1, Math.floor(CHUNK / outFeatures));
  for (let first = 0; first < inFeatures; first += most) {
    const count = Math.min(most, inFeatures - first);
    const values = await readFinite(source, name, first * outFeatures, count * outFeatures);
    yield { first, count, values };
    release(values);
  }
}
