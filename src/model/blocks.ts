import { ScoreCamError } from '../errors';
import type { WeightDtype } from '../numbers/dtypes';
import { release } from '../numbers/release';
import { matchTensors } from './match';
import type { LayerTensors, TensorMatch } from './naming';
import { type ConvLayer, type LinearLayer, type Network, type Shape, sizeOf } from './network';
import { elementCount, tensorOf, type WeightSource } from './weight-source';

/**
 * A network's weights on their way from a file to where they are kept: pieces small enough to hold, in
 * the order of the file, their names, layouts and batch normalisation already dealt with. A block's arrays
 * are the reader's until it asks for the next block; then their memory is given back.
 */
export type WeightBlock =
  | {
      readonly kind: 'conv';
      readonly layer: ConvLayer;
      /** [outChannels, inChannels, kernel, kernel], input channels red, green, blue. */
      readonly weight: Float32Array<ArrayBuffer>;
      readonly bias: Float32Array<ArrayBuffer>;
    }
  | {
      /** Whole rows first ... first + count of a fully connected layer. */
      readonly kind: 'rows';
      readonly layer: LinearLayer;
      readonly first: number;
      readonly count: number;
      /** [count, inFeatures], inputs flattened in CHW order */
      readonly values: Float32Array<ArrayBuffer>;
      /** [count]: of weights that the file holds as int8. */
      readonly scales: Float32Array | undefined;
    }
  | {
      /** The transposed kind: weights of inputs first ... first + count, counted in HWC order. */
      readonly kind: 'columns';
      readonly layer: LinearLayer;
      /** The layer's input before it was flattened. */
      readonly unflattened: Shape;
      readonly first: number;
      readonly count: number;
      /** [count, outFeatures] */
      readonly values: Float32Array<ArrayBuffer>;
      /** [outFeatures]: largest magnitude of each output's weights, where the form asked for needs it. */
      readonly largest: Float32Array | undefined;
    }
  | {
      readonly kind: 'bias';
      readonly layer: LinearLayer;
      readonly values: Float32Array<ArrayBuffer>;
    };

export interface BlockOptions {
  readonly dtype: WeightDtype;
  readonly channelOrder?: 'rgb' | 'bgr' | undefined;
}

/** Elements of a fully connected layer that are in JavaScript memory at once: 8 MiB of f32. */
const CHUNK = 2 * 1024 * 1024;

/**
 * All weights of `network`, each exactly once. Memory: one chunk, and convolutions that wait for their
 * bias or batch normalisation (at most all of them, 80 MB for VGG-19, in a file sorted by size).
 * @throws ScoreCamError `weights` for a tensor that is missing, misshapen or not finite.
 */
export async function* weightBlocks(
  network: Network,
  source: WeightSource,
  { dtype, channelOrder }: BlockOptions,
): AsyncGenerator<WeightBlock, void, undefined> {
  const match = await matchTensors(network, source);
  checkChannelOrder(source, match, channelOrder);
  const convs = new Map<string, PendingConv>();
  const linears = new Map<string, PendingLinear>();
  for (const [position, layer] of network.layers.entries()) {
    if (layer.type !== 'conv' && layer.type !== 'linear') continue;
    const tensors = match.layers.get(layer.name) as LayerTensors;
    if (layer.type === 'conv') {
      const pending: PendingConv = { layer, tensors, waiting: new Set(), held: new Map() };
      for (const name of namesOf(tensors)) {
        pending.waiting.add(name);
        convs.set(name, pending);
      }
    } else {
      const before = network.layers[position - 1]?.output ?? layer.input;
      linears.set(tensors.weight, { layer, before, tensors, isBias: false });
      if (tensors.bias) linears.set(tensors.bias, { layer, before, tensors, isBias: true });
    }
  }
  const first = network.layers[0] as ConvLayer;
  for (const [name, { shape }] of source.tensors) {
    const conv = convs.get(name);
    if (conv) {
      conv.held.set(name, await readFinite(source, name, 0, elementCount(shape)));
      conv.waiting.delete(name);
      if (conv.waiting.size > 0) continue;
      const flip = channelOrder === 'bgr' && conv.layer === first;
      const block = convBlock(conv, match.layout, flip);
      yield block;
      for (const values of [block.weight, ...conv.held.values()]) release(values);
      conv.held.clear();
    }
    const linear = linears.get(name);
    if (!linear) continue;
    const { layer, before, tensors, isBias } = linear;
    if (isBias) {
      yield { kind: 'bias', layer, values: await readFinite(source, name, 0, elementCount(shape)) };
    } else if (match.layout === 'keras') {
      yield* columnBlocks(source, name, layer, before, dtype);
    } else {
      yield* rowBlocks(source, name, layer, tensors.scale);
    }
  }
  for (const { layer, tensors } of linears.values()) {
    if (tensors.bias) continue;
    yield { kind: 'bias', layer, values: new Float32Array(layer.output.channels) };
  }
}

interface PendingLinear {
  readonly layer: LinearLayer;
  /** Output of the layer before. */
  readonly before: Shape;
  readonly tensors: LayerTensors;
  /** Whether the tensor is the bias, not the weight. */
  readonly isBias: boolean;
}

interface PendingConv {
  readonly layer: ConvLayer;
  readonly tensors: LayerTensors;
  /** Tensors not read yet. */
  readonly waiting: Set<string>;
  readonly held: Map<string, Float32Array<ArrayBuffer>>;
}

function namesOf({ weight, bias, batchNorm }: LayerTensors): string[] {
  const norm = batchNorm
    ? [batchNorm.scale, batchNorm.shift, batchNorm.mean, batchNorm.variance]
    : [];
  return [weight, ...(bias ? [bias] : []), ...norm];
}

function convBlock(
  { layer, tensors, held }: PendingConv,
  layout: TensorMatch['layout'],
  flip: boolean,
): Extract<WeightBlock, { kind: 'conv' }> {
  const values = (name: string): Float32Array<ArrayBuffer> =>
    held.get(name) as Float32Array<ArrayBuffer>;
  const stored = values(tensors.weight);
  const weight = layout === 'keras' ? fromHwio(stored, layer) : stored;
  if (flip) flipChannels(weight, layer);
  const bias = tensors.bias ? values(tensors.bias) : new Float32Array(layer.output.channels);
  const { batchNorm } = tensors;
  if (batchNorm) {
    fold(weight, bias, {
      gamma: values(batchNorm.scale),
      beta: values(batchNorm.shift),
      mean: values(batchNorm.mean),
      variance: values(batchNorm.variance),
      epsilon: batchNorm.epsilon,
    });
    checkFinite(weight, `${tensors.weight} with its batch normalisation folded in`, 0);
    checkFinite(bias, `${batchNorm.shift} with its batch normalisation folded in`, 0);
  }
  return { kind: 'conv', layer, weight, bias };
}

interface BatchNorm {
  readonly gamma: Float32Array;
  readonly beta: Float32Array;
  readonly mean: Float32Array;
  readonly variance: Float32Array;
  readonly epsilon: number;
}

/**
 * y = gamma (w x + b - mean) / sqrt(variance + epsilon) + beta, as a convolution's own weight and bias
 * (Ioffe and Szegedy 2015, at inference). In f64, rounded once.
 */
function fold(weight: Float32Array, bias: Float32Array, norm: BatchNorm): void {
  const depth = weight.length / bias.length;
  for (let o = 0; o < bias.length; o++) {
    const factor =
      (norm.gamma[o] as number) / Math.sqrt((norm.variance[o] as number) + norm.epsilon);
    for (let k = o * depth; k < (o + 1) * depth; k++) weight[k] = (weight[k] as number) * factor;
    const shifted = (bias[o] as number) - (norm.mean[o] as number);
    bias[o] = shifted * factor + (norm.beta[o] as number);
  }
}

/** [kernel, kernel, in, out] to [out, in, kernel, kernel] */
function fromHwio(values: Float32Array, layer: ConvLayer): Float32Array<ArrayBuffer> {
  const inputs = layer.input.channels;
  const outputs = layer.output.channels;
  const taps = layer.kernel * layer.kernel;
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

/** Exchanges the first and the last of three input channels. */
function flipChannels(weight: Float32Array, layer: ConvLayer): void {
  const taps = layer.kernel * layer.kernel;
  for (let at = 0; at < weight.length; at += 3 * taps) {
    const blue = weight.slice(at, at + taps);
    weight.copyWithin(at, at + 2 * taps, at + 3 * taps);
    weight.set(blue, at + 2 * taps);
  }
}

async function* rowBlocks(
  source: WeightSource,
  name: string,
  layer: LinearLayer,
  scaleName: string | undefined,
): AsyncGenerator<WeightBlock> {
  const inFeatures = sizeOf(layer.input);
  const outFeatures = layer.output.channels;
  const allScales = scaleName && (await readFinite(source, scaleName, 0, outFeatures));
  const most = Math.max(1, Math.floor(CHUNK / inFeatures));
  for (let first = 0; first < outFeatures; first += most) {
    const count = Math.min(most, outFeatures - first);
    const values = await readFinite(source, name, first * inFeatures, count * inFeatures);
    const scales = allScales ? allScales.subarray(first, first + count) : undefined;
    scales?.forEach((scale, row) => {
      for (let i = row * inFeatures; i < (row + 1) * inFeatures; i++) {
        values[i] = (values[i] as number) * scale;
      }
    });
    // Finite integers times a finite scale need not be.
    if (scales)
      checkFinite(values, `${source.name}: tensor "${name}" x "${scaleName}"`, first * inFeatures);
    yield { kind: 'rows', layer, first, count, values, scales };
    release(values);
  }
}

/** Quantising by rows needs each output's largest weight first: a pass over the tensor of its own. */
async function* columnBlocks(
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

function checkChannelOrder(
  source: WeightSource,
  { layout }: TensorMatch,
  channelOrder: BlockOptions['channelOrder'],
): void {
  if (layout !== 'keras' || channelOrder) return;
  throw new ScoreCamError(
    'weights',
    `${source.name} is a Keras model, whose input is usually BGR with the mean subtracted; the model ` +
      'chosen does not say so. Choose vgg16-keras or vgg19-keras, or a manifest whose weights say ' +
      '"channelOrder": "bgr" or "rgb" and whose input says the mean.',
  );
}

async function readFinite(
  source: WeightSource,
  tensor: string,
  start: number,
  count: number,
): Promise<Float32Array<ArrayBuffer>> {
  tensorOf(source, tensor);
  const values = await source.read(tensor, start, count).catch((error: unknown) => {
    // Whoever reads bytes knows file and offset, but not whose bytes they are.
    if (!(error instanceof ScoreCamError) || error.message.includes(`"${tensor}"`)) throw error;
    const which = `Tensor "${tensor}", ${count} elements from ${start} on`;
    throw new ScoreCamError(error.code, `${which}: ${error.message}`, { cause: error });
  });
  checkFinite(values, `${source.name}: tensor "${tensor}"`, start);
  return values;
}

function checkFinite(values: Float32Array, what: string, start: number): void {
  for (let i = 0; i < values.length; i++) {
    // Faster than Number.isFinite over 138 million values: NaN and both infinities fail it.
    if ((values[i] as number) - (values[i] as number) === 0) continue;
    throw new ScoreCamError(
      'weights',
      `${what} has ${values[i]} at element ${start + i}; every weight must be finite.`,
    );
  }
}
