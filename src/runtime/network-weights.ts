import { ScoreCamError } from '../errors';
import { packConv } from '../kernels/conv';
import type { Slice } from '../kernels/kernel';
import { shardRows } from '../kernels/linear';
import { choosesWinograd, winogradFilters } from '../kernels/winograd';
import { type ConvLayer, type LinearLayer, type Network, sizeOf } from '../model/network';
import { tensorOf, type WeightSource } from '../model/weight-source';
import type { Gpu } from './gpu';
import { convShape } from './plan';

export interface ConvWeights {
  /** Packed as src/kernels/conv.ts says. */
  readonly weights: Slice;
  readonly bias: Slice;
  /** Transformed for Winograd, where the adapter and the layer want it (src/kernels/winograd.ts). */
  readonly filters: Slice | undefined;
}

export interface LinearShard {
  readonly firstOutput: number;
  readonly outputs: number;
  /** [outputs, inFeatures] */
  readonly weights: Slice;
}

export interface LinearWeights {
  /** Row shards, each small enough for one binding. */
  readonly shards: readonly LinearShard[];
  readonly bias: Slice;
}

/** Elements of a fully connected layer that are in JavaScript memory at once: 16 MiB of f32. */
const CHUNK = 4 * 1024 * 1024;

/** A network's weights in GPU buffers, in the layouts the kernels read. */
export class NetworkWeights {
  private readonly convs = new Map<string, ConvWeights>();
  private readonly linears = new Map<string, LinearWeights>();
  private readonly buffers: GPUBuffer[] = [];
  private readonly gpu: Gpu;

  private constructor(gpu: Gpu) {
    this.gpu = gpu;
  }

  /**
   * Streams all tensors into buffers, layer by layer. `onBytes` hears (bytes done, bytes in all).
   * @throws ScoreCamError `weights` for a missing tensor, a wrong shape or a value that is not finite.
   */
  static async load(
    gpu: Gpu,
    network: Network,
    source: WeightSource,
    onBytes: (done: number, total: number) => void = () => {},
    signal?: AbortSignal,
  ): Promise<NetworkWeights> {
    const loaded = new NetworkWeights(gpu);
    const layers = network.layers.filter(
      (layer) => layer.type === 'conv' || layer.type === 'linear',
    );
    const total = layers.reduce((sum, layer) => sum + 4 * weightCount(layer), 0);
    let done = 0;
    const advance = async (elements: number): Promise<void> => {
      done += 4 * elements;
      onBytes(done, total);
      // A task of its own for the page: it stays responsive and can abort.
      await new Promise((resolve) => setTimeout(resolve));
      signal?.throwIfAborted();
    };
    try {
      for (const layer of layers) {
        checkShapes(source, layer);
        if (layer.type === 'conv') await loaded.loadConv(layer, source, advance);
        else await loaded.loadLinear(layer, source, advance);
      }
    } catch (error) {
      loaded.dispose();
      throw error;
    }
    return loaded;
  }

  conv(layer: ConvLayer): ConvWeights {
    return this.convs.get(layer.name) as ConvWeights;
  }

  linear(layer: LinearLayer): LinearWeights {
    return this.linears.get(layer.name) as LinearWeights;
  }

  dispose(): void {
    for (const buffer of this.buffers) this.gpu.free(buffer);
    this.buffers.length = 0;
  }

  private async loadConv(
    layer: ConvLayer,
    source: WeightSource,
    advance: (elements: number) => Promise<void>,
  ): Promise<void> {
    const raw = await readFinite(source, layer.weight, 0, weightCount(layer));
    const bias = await readFinite(source, layer.bias, 0, layer.output.channels);
    const shape = convShape(layer, false);
    const packed = packConv(raw, bias, shape);
    const filters = choosesWinograd(shape, this.gpu.adapter)
      ? { buffer: this.upload(`${layer.weight} for Winograd`, winogradFilters(raw, shape)) }
      : undefined;
    this.convs.set(layer.name, {
      weights: { buffer: this.upload(layer.weight, packed.weights) },
      bias: { buffer: this.upload(layer.bias, packed.bias) },
      filters,
    });
    await advance(raw.length);
  }

  private async loadLinear(
    layer: LinearLayer,
    source: WeightSource,
    advance: (elements: number) => Promise<void>,
  ): Promise<void> {
    const inFeatures = sizeOf(layer.input);
    const { maxStorageBufferBindingSize, maxBufferSize } = this.gpu.device.limits;
    const most = Math.min(maxStorageBufferBindingSize, maxBufferSize);
    const shards: LinearShard[] = [];
    for (const { firstOutput, outputs } of shardRows(inFeatures, layer.output.channels, most)) {
      const label = `${layer.weight} rows ${firstOutput}..${firstOutput + outputs - 1}`;
      const buffer = this.gpu.createBuffer(label, 4 * outputs * inFeatures);
      this.buffers.push(buffer);
      const start = firstOutput * inFeatures;
      for (let at = 0; at < outputs * inFeatures; at += CHUNK) {
        const count = Math.min(CHUNK, outputs * inFeatures - at);
        const values = await readFinite(source, layer.weight, start + at, count);
        this.gpu.write(buffer, values, 4 * at);
        await advance(count);
      }
      shards.push({ firstOutput, outputs, weights: { buffer } });
    }
    const bias = await readFinite(source, layer.bias, 0, layer.output.channels);
    this.linears.set(layer.name, { shards, bias: { buffer: this.upload(layer.bias, bias) } });
  }

  private upload(label: string, data: Float32Array): GPUBuffer {
    const buffer = this.gpu.upload(label, data);
    this.buffers.push(buffer);
    return buffer;
  }
}

type WeightedLayer = ConvLayer | LinearLayer;

function weightShape(layer: WeightedLayer): number[] {
  return layer.type === 'conv'
    ? [layer.output.channels, layer.input.channels, layer.kernel, layer.kernel]
    : [layer.output.channels, sizeOf(layer.input)];
}

function weightCount(layer: WeightedLayer): number {
  return weightShape(layer).reduce((a, b) => a * b, 1);
}

function checkShapes(source: WeightSource, layer: WeightedLayer): void {
  const expect = (tensor: string, need: readonly number[]): void => {
    const found = tensorOf(source, tensor).shape;
    if (found.join() !== need.join()) {
      throw new ScoreCamError(
        'weights',
        `Tensor "${tensor}" has shape ${found.join('x')}, layer "${layer.name}" needs ${need.join('x')}.`,
      );
    }
  };
  expect(layer.weight, weightShape(layer));
  expect(layer.bias, [layer.output.channels]);
}

async function readFinite(
  source: WeightSource,
  tensor: string,
  start: number,
  count: number,
): Promise<Float32Array> {
  const values = await source.read(tensor, start, count);
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new ScoreCamError(
      'weights',
      `Tensor "${tensor}" has ${values[bad]} at element ${start + bad}; every weight must be finite.`,
    );
  }
  return values;
}
