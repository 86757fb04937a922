import { type ConvShape, type ConvTiling, chooseConvTiling, maskedConv } from '../kernels/conv';
import { globalAveragePool } from '../kernels/global_average_pool';
import type { Dispatch, Slice } from '../kernels/kernel';
import { chooseLinearTiling, type LinearTiling, linear } from '../kernels/linear';
import { maxPool } from '../kernels/max_pool';
import {
  type ConvLayer,
  type LinearLayer,
  type Network,
  type Shape,
  sizeOf,
} from '../model/network';
import { Arena } from './arena';
import type { BufferCopy, Gpu } from './gpu';
import type { NetworkWeights } from './network-weights';
import { convShape, type Passes, planPasses, planSteps, type Step, splitHead } from './plan';
import { direct, recordConv } from './record-conv';

/** Activation maps and which of them mask the image. */
export interface Masks {
  /** [K, height, width] */
  readonly maps: Slice;
  readonly height: number;
  readonly width: number;
  /** [K] pairs (min, max) of each upsampled map. */
  readonly ranges: Slice;
  /** Mask m is made from map channels[m]; none of them constant. */
  readonly channels: Uint32Array;
  readonly alignCorners: boolean;
}

export interface MaskedRunOptions {
  readonly memoryBudget: number;
  readonly onMasks?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** For tests and benchmarks: use these tilings instead of the ones chosen by adapter and shape. */
export interface ForcedTilings {
  readonly conv?: ConvTiling;
  readonly linear?: LinearTiling;
}

/**
 * Runs one network on one GPU: turns steps into dispatches, dispatches into batches, one submit a batch.
 */
export class Runner {
  readonly gpu: Gpu;
  readonly network: Network;
  readonly weights: NetworkWeights;
  private readonly forced: ForcedTilings;

  constructor(gpu: Gpu, network: Network, weights: NetworkWeights, forced: ForcedTilings = {}) {
    this.gpu = gpu;
    this.network = network;
    this.weights = weights;
    this.forced = forced;
  }

  /**
   * One forward pass of one image [C, H, W] (normalised): its logits, and the outputs of the layers in
   * `keep`, in buffers of the caller's arena.
   */
  async forward(
    image: Slice,
    arena: Arena,
    keep: readonly string[] = [],
  ): Promise<{ logits: Float32Array; kept: Map<string, Slice> }> {
    const kept = new Map<string, Slice>();
    const dispatches: Dispatch[] = [];
    let current = image;
    for (const step of planSteps(this.network, new Set(keep))) {
      const output = arena.take(step.name, 4 * sizeOf(step.output));
      dispatches.push(...this.record(step, 1, current, output, arena));
      if (current !== image && ![...kept.values()].includes(current)) arena.release(current);
      if (keep.includes(step.name)) kept.set(step.name, output);
      current = output;
    }
    await this.gpu.submit(`forward ${this.network.name}`, dispatches);
    const logits = await this.gpu.read(current.buffer, this.network.labels.length);
    return { logits, kept };
  }

  /**
   * The masked passes: logits [masks, classes] of image * H_k for every mask, read back once. Masked images
   * never exist in memory: the first convolution masks as it loads.
   */
  async maskedLogits(image: Slice, masks: Masks, options: MaskedRunOptions): Promise<Float32Array> {
    const steps = planSteps(this.network);
    const total = masks.channels.length;
    const arena = new Arena(this.gpu);
    const channels = arena.upload('mask channels', masks.channels);
    const passes = { name: this.network.name, steps, input: undefined };
    return this.run(passes, total, arena, options, (first, batch) => {
      const [step] = steps;
      if (step?.kind !== 'conv') throw new Error('A network starts with a convolution.');
      const output = arena.take(step.name, 4 * batch * sizeOf(step.output));
      const source = { image, masks, channels, firstMask: first };
      return { dispatches: [this.recordMasked(step, batch, source, output)], output, done: 1 };
    });
  }

  /**
   * Logits [count, classes] of `count` tensors that stand where the output of `layer` would, or where the
   * image would if it is undefined: only what comes after is run.
   * @param fill records the dispatches that write tensors first .. first + batch - 1 into `output`
   */
  async logitsAfter(
    layer: string | undefined,
    count: number,
    fill: (first: number, batch: number, output: Slice, arena: Arena) => readonly Dispatch[],
    options: MaskedRunOptions,
  ): Promise<Float32Array> {
    const { network } = this;
    const all = planSteps(network, new Set(layer === undefined ? [] : [layer]));
    const at = all.findIndex(({ name }) => name === layer);
    const input = all[at]?.output ?? network.input;
    const passes = { name: network.name, steps: all.slice(at + 1), input };
    const arena = new Arena(this.gpu);
    return this.run(passes, count, arena, options, (first, batch) => {
      const output = arena.take('inputs', 4 * batch * sizeOf(input));
      return { dispatches: [...fill(first, batch, output, arena)], output, done: 0 };
    });
  }

  /**
   * Runs `passes` over `total` items in batches and reads the logits back once. The fully connected layers
   * run over the features of a whole block of items at once, so that their weights are read once a block,
   * not once a batch.
   * @param begin records how a batch begins: its dispatches, what they leave, and the steps done thereby
   * @param arena is disposed of at the end
   */
  private async run(
    passes: Passes,
    total: number,
    arena: Arena,
    options: MaskedRunOptions,
    begin: (first: number, batch: number) => { dispatches: Dispatch[]; output: Slice; done: 0 | 1 },
  ): Promise<Float32Array> {
    const { gpu, network } = this;
    const classes = network.labels.length;
    const { features, head } = splitHead(passes.steps);
    // One submit is always waiting while another runs, so that the GPU never idles between batches.
    let previous: Promise<void> = Promise.resolve();
    try {
      const conv = features.find((step) => step.kind === 'conv');
      const plan = planPasses(passes, total, {
        memoryBudget: options.memoryBudget,
        maxBindingBytes: gpu.device.limits.maxStorageBufferBindingSize,
        isFallback: gpu.adapter.isFallback,
        ...(conv ? { convDtype: this.weights.conv(conv.layer as ConvLayer).dtype } : {}),
      });
      const featureSize = sizeOf(features.at(-1)?.output ?? (passes.input as Shape));
      const scores = arena.take('scores', 4 * total * classes);
      for (let blockStart = 0; blockStart < total; blockStart += plan.block) {
        const blockSize = Math.min(plan.block, total - blockStart);
        const gathered = arena.take('features', 4 * blockSize * featureSize);
        for (let at = 0; at < blockSize; at += plan.batch) {
          options.signal?.throwIfAborted();
          const batch = Math.min(plan.batch, blockSize - at);
          const { dispatches, output, done } = begin(blockStart + at, batch);
          const last = this.recordSteps(features.slice(done), batch, output, arena, dispatches);
          const label = `passes ${blockStart + at}..${blockStart + at + batch - 1}`;
          const running = gpu.submit(label, dispatches, [
            copyOf(last, gathered.buffer, 4 * at * featureSize),
          ]);
          arena.release(last);
          await both(previous, running);
          options.onMasks?.(blockStart + at, total);
          previous = running;
        }
        const dispatches: Dispatch[] = [];
        const last = this.recordSteps(head, blockSize, gathered, arena, dispatches);
        const running = gpu.submit(`head of passes from ${blockStart}`, dispatches, [
          copyOf(last, scores.buffer, 4 * blockStart * classes),
        ]);
        arena.release(last);
        await both(previous, running);
        previous = running;
      }
      await previous;
      options.onMasks?.(total, total);
      return await gpu.read(scores.buffer, total * classes);
    } finally {
      // Buffers must outlive the submits that use them, also when the run ends early.
      await previous.catch(() => {});
      arena.dispose();
    }
  }

  /** Appends `steps` to `dispatches`, releasing what each step has read; returns what the last leaves. */
  private recordSteps(
    steps: readonly Step[],
    batch: number,
    input: Slice,
    arena: Arena,
    dispatches: Dispatch[],
  ): Slice {
    let current = input;
    for (const step of steps) {
      const output = arena.take(step.name, 4 * batch * sizeOf(step.output));
      dispatches.push(...this.record(step, batch, current, output, arena));
      arena.release(current);
      current = output;
    }
    return current;
  }

  /** The first convolution with the mask fused in. */
  private recordMasked(
    { name: label, layer, pool }: Extract<Step, { kind: 'conv' }>,
    batch: number,
    source: { image: Slice; masks: Masks; channels: Slice; firstMask: number },
    output: Slice,
  ): Dispatch {
    const { image, masks, channels, firstMask } = source;
    const { dtype, weights, bias } = this.weights.conv(layer);
    const shape = convShape(layer, pool);
    return maskedConv(this.convTiling(shape), {
      label,
      shape,
      dtype,
      batch,
      firstMask,
      image,
      maps: masks.maps,
      mapHeight: masks.height,
      mapWidth: masks.width,
      ranges: masks.ranges,
      channels,
      alignCorners: masks.alignCorners,
      // The first convolution has too few input channels for Winograd: its weights are there.
      weights: direct(weights),
      bias,
      output,
    });
  }

  private record(step: Step, batch: number, input: Slice, output: Slice, arena: Arena): Dispatch[] {
    const { layer } = step;
    const label = step.name;
    switch (step.kind) {
      case 'conv':
        return this.recordConv(step, batch, input, output, arena);
      case 'maxpool':
        return [maxPool({ label, ...layer.input, batch, input, output })];
      case 'globalavgpool':
        return [globalAveragePool({ label, ...layer.input, batch, input, output })];
      case 'linear':
        return this.recordLinear(step.layer, batch, input, output);
    }
  }

  private recordConv(
    { name: label, layer, pool }: Extract<Step, { kind: 'conv' }>,
    batch: number,
    input: Slice,
    output: Slice,
    arena: Arena,
  ): Dispatch[] {
    const shape = convShape(layer, pool);
    const tensors = { ...this.weights.conv(layer), input, output };
    return recordConv(
      { label, shape, batch, ...tensors },
      this.gpu.adapter,
      arena,
      this.forced.conv,
    );
  }

  private recordLinear(layer: LinearLayer, batch: number, input: Slice, output: Slice): Dispatch[] {
    const inFeatures = sizeOf(layer.input);
    const outFeatures = layer.output.channels;
    const { dtype, shards, affine } = this.weights.linear(layer);
    const tiling =
      this.forced.linear ??
      chooseLinearTiling({ inFeatures, outFeatures, batch }, this.gpu.adapter);
    return shards.map(({ firstOutput, outputs, weights }) =>
      linear(tiling, {
        label: layer.name,
        dtype,
        inFeatures,
        outFeatures,
        firstOutput,
        shardOutputs: outputs,
        slope: layer.slope,
        batch,
        input,
        weights,
        affine,
        output,
      }),
    );
  }

  private convTiling(shape: ConvShape): ConvTiling {
    return this.forced.conv ?? chooseConvTiling(shape, this.gpu.adapter);
  }
}

function copyOf(from: Slice, to: GPUBuffer, toOffset: number): BufferCopy {
  return {
    from: from.buffer,
    fromOffset: from.offset ?? 0,
    to,
    toOffset,
    bytes: from.size as number,
  };
}

/** Waits for the earlier of two submits; if it fails, waits for the later one too before throwing. */
async function both(earlier: Promise<void>, later: Promise<void>): Promise<void> {
  try {
    await earlier;
  } catch (error) {
    await later.catch(() => {});
    throw error;
  }
}
