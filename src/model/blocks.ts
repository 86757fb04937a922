import { release } from '../numbers/release';
import { checkFinite, readFinite } from './finite-tensors';
import { matchTensors } from './match';
import {
  isWeighted,
  type LinearLayer,
  type Network,
  readBy,
  sizeOf,
  type WeightedLayer,
  weightShape,
} from './network';
import type { LayerTensors } from './tensors';
import { type BlockOptions, CHUNK, type WeightBlock } from './weight-block';
import { elementCount, tensorOf, type WeightSource } from './weight-source';

/**
 * All weights of `network`, each exactly once. Memory: one chunk, and layers that wait for their bias or batch
 * normalisation (at most all convolutions, 80 MB for VGG-19, in a file sorted by size).
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
  const all = [...match.layers.values()];
  const norms = all.some(({ batchNorm }) => batchNorm) && (await import('./batch-norm'));
  /** What is to be made of a tensor, by its name: layers may share one. */
  const readers = new Map<string, (() => AsyncIterable<WeightBlock>)[]>();
  const onTensor = (name: string, reader: () => AsyncIterable<WeightBlock>): void => {
    readers.set(name, [...(readers.get(name) ?? []), reader]);
  };
  const readAll = (name: string): Promise<Values> =>
    readFinite(source, name, 0, elementCount(tensorOf(source, name).shape));
  /** What needs no tensor. */
  const madeUp: Iterable<WeightBlock>[] = [];

  for (const layer of network.layers) {
    if (!isWeighted(layer)) continue;
    const tensors = match.layers.get(layer.name) as LayerTensors;
    const { weight, bias, batchNorm, scale } = tensors;
    if (layer.type === 'linear' && weight && !batchNorm) {
      const before = readBy(network, layer);
      onTensor(weight, () =>
        keras
          ? keras.columnBlocks(source, weight, layer, before, dtype)
          : rowBlocks(source, weight, layer, scale),
      );
      if (bias) {
        onTensor(bias, async function* () {
          yield { kind: 'bias', layer, values: await readAll(bias) };
        });
      } else {
        madeUp.push([{ kind: 'bias', layer, values: new Float32Array(layer.output.channels) }]);
      }
      continue;
    }
    const held = new Map<string, Values>();
    const names = new Set(
      [
        weight,
        bias,
        batchNorm?.scale,
        batchNorm?.shift,
        batchNorm?.mean,
        batchNorm?.variance,
      ].flatMap((name) => name ?? []),
    );
    const whole = function* (): Generator<WeightBlock, void, undefined> {
      const given = (name: string): Values => held.get(name) as Values;
      const stored = weight
        ? given(weight)
        : new Float32Array(elementCount(weightShape(layer))).fill(1);
      const values = keras ? keras.fromHwio(stored, layer) : stored;
      if (channelOrder === 'bgr' && layer === network.layers[0]) flipChannels(values, layer);
      const shift = bias ? given(bias) : new Float32Array(layer.output.channels);
      if (norms) norms.foldBatchNorm(values, shift, tensors, given);
      if (layer.type === 'linear') {
        const count = layer.output.channels;
        yield { kind: 'rows', layer, first: 0, count, values, scales: undefined };
        yield { kind: 'bias', layer, values: shift };
      } else {
        yield { kind: 'conv', layer, weight: values, bias: shift };
      }
      for (const array of [values, ...held.values()]) release(array);
      held.clear();
    };
    for (const name of names) {
      onTensor(name, async function* () {
        held.set(name, await readAll(name));
        if (held.size === names.size) yield* whole();
      });
    }
    if (names.size === 0) madeUp.push(whole());
  }
  for (const name of source.tensors.keys()) {
    for (const reader of readers.get(name) ?? []) yield* reader();
  }
  for (const blocks of madeUp) yield* blocks;
}

type Values = Float32Array<ArrayBuffer>;

/** Exchanges the first and the last of three input channels. */
function flipChannels(weight: Float32Array, layer: WeightedLayer): void {
  const [, , ...kernel] = weightShape(layer);
  const taps = elementCount(kernel);
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
