import { ScoreCamError } from '../errors';
import type { Gpu, GpuData } from '../gpu/gpu';
import type { Dispatch, Slice } from '../gpu/kernel';
import { packConv } from '../kernels/convolution/conv';
import { rowStride } from '../kernels/linear/linear';
import { filterBytes, transformFilters } from '../kernels/winograd/transformed';
import { weightBlocks } from '../model/blocks';
import { encodeRows, storedBytes } from '../model/encoding';
import type { KeptModelWriter } from '../model/keep/kept-model';
import { isWeighted, type Layer, sizeOf } from '../model/network';
import type { BlockOptions, WeightBlock } from '../model/weight-block';
import type { WeightSource } from '../model/weight-source';
import { WEIGHT_BYTES, type WeightDtype } from '../numbers/dtypes';
import { release } from '../numbers/release';
import { convStep, linearStep, type Plan } from '../plan/compile';
import {
  type ConvLayout,
  type ConvStep,
  type LinearLayout,
  type LinearStep,
  layoutName,
} from '../plan/steps';
import { type Arriving, bytesOf, type LinearShard } from './arriving';
import { Bounds } from './bounds';
import type { GraphKit } from './graph-kit';

export interface ConvWeights {
  readonly layout: ConvLayout;
  /** Packed as src/kernels/convolution/pack.ts says. */
  readonly weights: Slice;
  readonly bias: Slice;
  /** Transformed for Winograd, where the layout says so. */
  readonly filters: Slice | undefined;
}

export interface LinearWeights {
  readonly layout: LinearLayout;
  /** Row shards, each small enough for one binding. */
  readonly shards: readonly LinearShard[];
  /** [outFeatures] pairs (scale, bias) */
  readonly affine: Slice;
}

export interface LoadOptions extends Pick<BlockOptions, 'channelOrder'> {
  /** Gets every tensor in the form it is kept in. */
  readonly keep?: KeptModelWriter | undefined;
  /** Hears (bytes done, bytes in all), both in the form loaded. */
  readonly onBytes?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A network's weights in GPU buffers, laid out as one plan says. Other plans read them as far as they lay them out
 * alike, and are refused otherwise.
 */
export class NetworkWeights {
  private readonly convs = new Map<string, ConvWeights>();
  private readonly linears = new Map<string, LinearWeights>();
  private readonly buffers = new Set<GPUBuffer>();
  /** What is to be done to weights that have come. */
  private readonly transforms: Dispatch[] = [];
  private readonly bounds: Bounds;
  /** Whether no sum of a convolution can be infinite or NaN, whatever the image and its mask. */
  isBounded = false;
  readonly plan: Plan;
  private readonly gpu: Gpu;

  private constructor(gpu: Gpu, plan: Plan) {
    this.gpu = gpu;
    this.plan = plan;
    this.bounds = new Bounds(plan);
  }

  /**
   * Streams all tensors into buffers, in the order of their file, then has the source verify itself.
   * @throws ScoreCamError `weights` for a tensor that is missing, misshapen or not finite, or for a file
   *   that is not the one meant; then nothing is left on the GPU.
   */
  static async load(
    gpu: Gpu,
    plan: Plan,
    source: WeightSource,
    options: LoadOptions = {},
  ): Promise<NetworkWeights> {
    const loaded = new NetworkWeights(gpu, plan);
    try {
      await loaded.stream(source, options);
      await source.verify?.();
    } catch (error) {
      loaded.dispose();
      throw error;
    }
    return loaded;
  }

  /** @throws ScoreCamError `kernel` if the step's plan lays them out otherwise than the one they were loaded by */
  conv({ layer, layout }: Pick<ConvStep, 'layout'> & { readonly layer: Layer }): ConvWeights {
    return expectLayout(layer.name, layout, this.convs.get(layer.name) as ConvWeights);
  }

  /** @throws ScoreCamError `kernel` as {@link conv} */
  linear({ layer, layout }: LinearStep): LinearWeights {
    return expectLayout(layer.name, layout, this.linears.get(layer.name) as LinearWeights);
  }

  dispose(): void {
    for (const buffer of this.buffers) this.gpu.free(buffer);
    this.buffers.clear();
  }

  private async stream(source: WeightSource, options: LoadOptions): Promise<void> {
    const { keep, onBytes, signal, channelOrder } = options;
    const { network, dtype } = this.plan;
    const total = storedBytes(network, dtype);
    const arriving = new Map<string, Arriving>();
    let done = 0;
    for await (const block of weightBlocks(network, source, { dtype, channelOrder })) {
      await this.add(block, options, arriving);
      if (block.kind === 'conv' || block.kind === 'bias') await keep?.putBlock(block, dtype);
      done += blockBytes(block, dtype);
      onBytes?.(Math.min(Math.round(done), total), total);
      // A task of its own for the page: it stays responsive and can abort.
      await new Promise((resolve) => setTimeout(resolve));
      signal?.throwIfAborted();
    }
    for (const layer of network.layers) {
      const missing =
        isWeighted(layer) && !this.convs.has(layer.name) && !this.linears.has(layer.name);
      if (missing) {
        throw new ScoreCamError(
          'weights',
          `${source.name}: the weights of layer "${layer.name}" did not arrive; does another layer of ` +
            'the manifest name the same tensors?',
        );
      }
    }
    this.isBounded = this.bounds.areFinite;
    // All at once: what comes does not wait for their kernel.
    if (this.transforms.length > 0) await this.gpu.submit('filters for Winograd', this.transforms);
  }

  /** @throws ScoreCamError `weights` naming the layer, for weights that the form cannot hold */
  private async add(
    block: WeightBlock,
    options: LoadOptions,
    arriving: Map<string, Arriving>,
  ): Promise<void> {
    this.bounds.add(block);
    try {
      if (block.kind === 'conv') this.addConv(block);
      else await this.addLinear(block, options, arriving);
    } catch (error) {
      if (!(error instanceof ScoreCamError && error.code === 'weights')) throw error;
      throw new ScoreCamError('weights', `Layer "${block.layer.name}": ${error.message}`, {
        cause: error,
      });
    }
  }

  private addConv({ layer, weight, bias }: Extract<WeightBlock, { kind: 'conv' }>): void {
    const step = convStep(this.plan, layer);
    const { layout } = step;
    const { dtype, transformed } = layout;
    const packed =
      step.kind === 'conv'
        ? packConv(weight, bias, step.shape, dtype)
        : (this.plan.options.graph as GraphKit).pack(step, weight, bias);
    const weights = this.upload(layer.weight, packed.weights);
    release(packed.weights);
    const biasSlice = this.upload(layer.bias, packed.bias);
    let filters: Slice | undefined;
    if (transformed && step.kind === 'conv' && step.method.kind !== 'direct') {
      const { shape, method } = step;
      // Four times as large again: worth it in f32, where speed is wanted more than memory.
      const label = `${layer.weight} for Winograd`;
      filters = { buffer: this.create(label, filterBytes(shape, method)) };
      this.transforms.push(transformFilters({ label, shape, dtype, method, weights, filters }));
    }
    this.convs.set(layer.name, { layout, weights, bias: biasSlice, filters });
  }

  private async addLinear(
    block: Exclude<WeightBlock, { kind: 'conv' }>,
    { keep }: LoadOptions,
    arriving: Map<string, Arriving>,
  ): Promise<void> {
    const { layer } = block;
    const { dtype } = this.plan;
    const state = arriving.get(layer.name) ?? this.begin(linearStep(this.plan, layer));
    arriving.set(layer.name, state);
    if (block.kind === 'bias') {
      block.values.forEach((value, o) => {
        state.affine[2 * o + 1] = value;
      });
      state.hasBias = true;
    } else if (block.kind === 'rows') {
      const encoded = await encodeRows(block.values, block.count, dtype, block.scales);
      encoded.scales?.forEach((scale, row) => {
        state.affine[2 * (block.first + row)] = scale;
      });
      this.writeRows(state, block.first, block.count, bytesOf(encoded.data), dtype);
      state.done += block.values.length;
      await keep?.putBlock(block, dtype, encoded);
      if (encoded.data.buffer !== block.values.buffer) release(encoded.data);
    } else {
      const { keepScattered, scatter } = await import('./columns');
      await scatter(this.gpu, state, block);
      state.done += block.values.length;
      if (keep && this.isWhole(state)) await keepScattered(this.gpu, state, keep);
    }
    if (!this.isWhole(state) || !state.hasBias) return;
    const affine = this.upload(layer.bias, state.affine);
    const { layout } = state.step;
    this.linears.set(layer.name, { layout, shards: state.shards, affine });
    arriving.delete(layer.name);
  }

  private isWhole({ layer, done }: Arriving): boolean {
    return done === layer.output.channels * sizeOf(layer.input);
  }

  /** Makes the buffers of a fully connected layer; they are all zero, padding included. */
  private begin(step: LinearStep): Arriving {
    const { layer, layout } = step;
    const rowBytes = rowStride(sizeOf(layer.input)) * WEIGHT_BYTES[layout.dtype];
    const shards = layout.shards.map(({ firstOutput, outputs }): LinearShard => {
      const label = `${layer.weight} rows ${firstOutput}..${firstOutput + outputs - 1}`;
      const weights = { buffer: this.create(label, outputs * rowBytes) };
      return { firstOutput, outputs, weights };
    });
    const affine = new Float32Array(2 * layer.output.channels);
    for (let o = 0; o < layer.output.channels; o++) affine[2 * o] = 1;
    return { step, layer, shards, affine, done: 0, hasBias: false };
  }

  /** Writes whole rows, a row's padding at its end, into the shards that hold them. */
  private writeRows(
    { layer, shards }: Arriving,
    first: number,
    count: number,
    bytes: Uint8Array<ArrayBuffer>,
    dtype: WeightDtype,
  ): void {
    const inFeatures = sizeOf(layer.input);
    const rowBytes = inFeatures * WEIGHT_BYTES[dtype];
    const strideBytes = rowStride(inFeatures) * WEIGHT_BYTES[dtype];
    const padded = strideBytes === rowBytes ? bytes : pad(bytes, count, rowBytes, strideBytes);
    for (const { firstOutput, outputs, weights } of shards) {
      const from = Math.max(first, firstOutput);
      const to = Math.min(first + count, firstOutput + outputs);
      if (from >= to) continue;
      const part = padded.subarray((from - first) * strideBytes, (to - first) * strideBytes);
      this.gpu.write(weights.buffer, part, (from - firstOutput) * strideBytes);
    }
  }

  private upload(label: string, data: GpuData): Slice {
    const buffer = this.create(label, data.byteLength);
    this.gpu.write(buffer, data);
    return { buffer };
  }

  private create(label: string, bytes: number): GPUBuffer {
    const buffer = this.gpu.createBuffer(label, bytes);
    this.buffers.add(buffer);
    return buffer;
  }
}

/** What was loaded, if it lies as a step expects it. */
function expectLayout<T extends { readonly layout: ConvLayout | LinearLayout }>(
  layer: string,
  expected: T['layout'],
  found: T,
): T {
  const [want, have] = [layoutName(expected), layoutName(found.layout)];
  if (want === have) return found;
  throw new ScoreCamError(
    'kernel',
    `The weights of layer "${layer}" are on the GPU as ${have}, and this plan reads ${want}: load them by ` +
      'the plan that they are to be used with.',
  );
}

function pad(
  bytes: Uint8Array,
  rows: number,
  rowBytes: number,
  strideBytes: number,
): Uint8Array<ArrayBuffer> {
  const padded = new Uint8Array(rows * strideBytes);
  for (let row = 0; row < rows; row++) {
    padded.set(bytes.subarray(row * rowBytes, (row + 1) * rowBytes), row * strideBytes);
  }
  return padded;
}

/** Bytes of a block in the form it is kept in. */
function blockBytes(block: WeightBlock, dtype: WeightDtype): number {
  if (block.kind === 'bias') return block.values.byteLength;
  if (block.kind === 'conv') {
    return block.weight.length * (dtype === 'f32' ? 4 : 2) + block.bias.byteLength;
  }
  const weights = block.values.length * WEIGHT_BYTES[dtype];
  // An int8 row has a scale; columns bring their share of it.
  const rows = block.values.length / sizeOf(block.layer.input);
  return dtype === 'int8' ? weights + 4 * rows : weights;
}
