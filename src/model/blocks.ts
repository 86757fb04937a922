import { release } from '../numbers/release';
import { checkFinite, readFinite } from './finite-tensors';
import { matchTensors } from './match';
import type { LayerTensors } from './naming';
import { type ConvLayer, type LinearLayer, type Network, type Shape, sizeOf } from './network';
import { type BlockOptions, CHUNK, type WeightBlock } from './weight-block';
import { elementCount, type WeightSource } from './weight-source';

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
  const keras = match.layout === 'keras' ? await import('./keras-layout') : undefined;
  keras?.checkChannelOrder(source, channelOrder);
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
      const block = convBlock(conv, keras?.fromHwio, flip);
      yield block;
      for (const values of [block.weight, ...conv.held.values()]) release(values);
      conv.held.clear();
    }
    const linear = linears.get(name);
    if (!linear) continue;
    const { layer, before, tensors, isBias } = linear;
    if (isBias) {
      yield { kind: 'bias', layer, values: await readFinite(source, name, 0, elementCount(shape)) };
    } else if (keras) {
      yield* keras.columnBlocks(source, name, layer, before, dtype);
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

/** @param turned to [out, in, kernel, kernel], where the file has another order */
function convBlock(
  { layer, tensors, held }: PendingConv,
  turned: ((weight: Float32Array, layer: ConvLayer) => Float32Array<ArrayBuffer>) | undefined,
  flip: boolean,
): Extract<WeightBlock, { kind: 'conv' }> {
  const values = (name: string): Float32Array<ArrayBuffer> =>
    held.get(name) as Float32Array<ArrayBuffer>;
  const stored = values(tensors.weight);
  const weight = turned ? turned(stored, layer) : stored;
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
