import { type ConvShape, type ConvTiling, chooseConvTiling, maskedConv } from '../kernels/conv';
import { globalAveragePool } from '../kernels/global_average_pool';
import type { Dispatch, Slice } from '../kernels/kernel';
import { chooseLinearTiling, type LinearTiling, linear } from '../kernels/linear';
import { maxPool } from '../kernels/max_pool';
import { type ConvLayer, type LinearLayer, type Network, sizeOf } from '../model/network';
import { Arena } from './arena';
import type { BufferCopy, Gpu } from './gpu';
import type { NetworkWeights } from './network-weights';
import { convShape, planBatches, planSteps, type Step, splitHead } from './plan';
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
   * The masked passes: logits [masks, classes] of image * H_k for every mask, read back once. Masked images never exist in memory: the first convolution masks as it loads. The
   * fully connected layers run over the pooled features of a whole block of masks at once, so that
   * their weights are read once a block, not once a batch.
   */
  async maskedLogits(image: Slice, masks: Masks, options: MaskedRunOptions): Promise<Float32Array> {
    const { gpu, network } = this;
    const total = masks.channels.length;
    const classes = network.labels.length;
    const { features, head } = splitHead(planSteps(network));
    const plan = planBatches(network, total, {
      memoryBudget: options.memoryBudget,
      maxBindingBytes: gpu.device.limits.maxStorageBufferBindingSize,
      isFallback: gpu.adapter.isFallback,
      convDtype: this.weights.conv((features[0] as Step).layer as ConvLayer).dtype,
    });
    const featureSize = sizeOf((features.at(-1) as Step).output);
    const arena = new Arena(gpu);
    // One submit is always waiting while another runs, so that the GPU never idles between batches.
    let previous: Promise<void> = Promise.resolve();
    try {
      const scores = arena.take('scores', 4 * total * classes);
      const channels = arena.upload('mask channels', masks.channels);
      for (let blockStart = 0; blockStart < total; blockStart += plan.block) {
        const blockSize = Math.min(plan.block, total - blockStart);
        const gathered = arena.take('features', 4 * blockSize * featureSize);
        for (let at = 0; at < blockSize; at += plan.batch) {
          options.signal?.throwIfAborted();
          const batch = Math.min(plan.batch, blockSize - at);
          const { dispatches, output } = this.recordBatch(features, batch, image, arena, {
            masks,
            channels,
            firstMask: blockStart + at,
          });
          const label = `masks ${blockStart + at}..${blockStart + at + batch - 1}`;
          const running = gpu.submit(label, dispatches, [
            copyOf(output, gathered.buffer, 4 * at * featureSize),
          ]);
          arena.release(output);
          await both(previous, running);
          options.onMasks?.(blockStart + at, total);
          previous = running;
        }
        const dispatches: Dispatch[] = [];
        let current = gathered;
        for (const step of head) {
          const output = arena.take(step.name, 4 * blockSize * sizeOf(step.output));
          dispatches.push(...this.record(step, blockSize, current, output, arena));
          arena.release(current);
          current = output;
        }
        const running = gpu.submit(`head of masks from ${blockStart}`, dispatches, [
          copyOf(current, scores.buffer, 4 * blockStart * classes),
        ]);
        arena.release(current);
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

  /** Records one batch of masked images through `steps`, the first of them with the mask fused in. */
  private recordBatch(
    steps: readonly Step[],
    batch: number,
    image: Slice,
    arena: Arena,
    source: { masks: Masks; channels: Slice; firstMask: number },
  ): { dispatches: Dispatch[]; output: Slice } {
    const dispatches: Dispatch[] = [];
    let current: Slice | undefined;
    for (const step of steps) {
      const output = arena.take(step.name, 4 * batch * sizeOf(step.output));
      if (current) {
        dispatches.push(...this.record(step, batch, current, output, arena));
        arena.release(current);
      } else {
        if (step.kind !== 'conv') throw new Error('A network starts with a convolution.');
        const { masks, channels, firstMask } = source;
        const { dtype, weights, bias } = this.weights.conv(step.layer);
        const shape = convShape(step.layer, step.pool);
        dispatches.push(
          maskedConv(this.convTiling(shape), {
            label: step.name,
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
          }),
        );
      }
      current = output;
    }
    return { dispatches, output: current as Slice };
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
