import { type ConvShape, type ConvTiling, chooseConvTiling, maskedConv } from '../kernels/conv';
import { choosesWinograd } from '../kernels/conv_choice';
import { globalAveragePool } from '../kernels/global_average_pool';
import type { Dispatch, Slice } from '../kernels/kernel';
import { chooseLinearTiling, type LinearTiling, linear } from '../kernels/linear';
import { maxPool } from '../kernels/max_pool';
import type { Places } from '../kernels/places';
import { repeatTensor } from '../kernels/repeat_tensor';
import {
  type ConvLayer,
  type LinearLayer,
  layerFlops,
  type Network,
  type Shape,
  sizeOf,
} from '../model/network';
import { Arena } from './arena';
import type { BufferCopy, Gpu } from './gpu';
import type { NetworkWeights } from './network-weights';
import { convShape, type Passes, planPasses, planSteps, type Step, splitHead } from './plan';
import { direct, recordConv } from './record-conv';
import { activeShare, maskRegion, reachedTiles, type StepTiles } from './skipping';

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
  /** False computes every tile, for tests and benchmarks. The logits are the same, bit for bit. */
  readonly skip?: boolean | undefined;
  /** Hears the share of the convolutions' multiply-adds that masks reach, before they are run. */
  readonly onShare?: ((share: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** For tests and benchmarks: use these tilings instead of the ones chosen by adapter and shape. */
export interface ForcedTilings {
  readonly conv?: ConvTiling;
  readonly linear?: LinearTiling;
}

/** Above this share of active work, listing tiles costs more than it saves. */
const WORTHWHILE = 0.9;

/** What the masks of one run reach, and what stands where they do not. */
class Skipping {
  /** Of the convolutions' multiply-adds. */
  readonly share: number;
  private readonly features: readonly Step[];
  private readonly reached: readonly (readonly (StepTiles | undefined)[])[];
  private readonly baseline: readonly Slice[];

  constructor(
    features: readonly Step[],
    reached: readonly (readonly (StepTiles | undefined)[])[],
    share: number,
    baseline: readonly Slice[],
  ) {
    this.features = features;
    this.reached = reached;
    this.share = share;
    this.baseline = baseline;
  }

  /** The tiles of step i that masks first .. first + batch - 1 reach; undefined where steps have no tiles. */
  places(i: number, first: number, batch: number, uploads: Arena): Places | undefined {
    const lists = this.reached.slice(first, first + batch).map((steps) => steps[i]);
    if (lists.some((tiles) => tiles === undefined)) return undefined;
    const found = lists as readonly StepTiles[];
    const count = found.reduce((sum, { active }) => sum + active.length, 0);
    const places = new Uint32Array(Math.max(1, count));
    let at = 0;
    found.forEach(({ active, total }, mask) => {
      for (const tile of active) places[at++] = mask * total + tile;
    });
    return { list: uploads.upload(`tiles of ${this.features[i]?.name}`, places), count };
  }

  /** Puts the zero image's output everywhere, for the reached tiles to be written over. */
  fill(step: Step, i: number, batch: number, output: Slice): Dispatch[] {
    const tensor = this.baseline[i] as Slice;
    const size = sizeOf(step.output);
    return [repeatTensor({ label: `${step.name} of zeros`, size, batch, tensor, output })];
  }
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
    const [first] = steps;
    if (first?.kind !== 'conv') throw new Error('A network starts with a convolution.');
    const total = masks.channels.length;
    const arena = new Arena(this.gpu);
    const skipping = await this.skipping(steps, masks, options, arena);
    const channels = arena.upload('mask channels', masks.channels);
    const passes = { name: this.network.name, steps, input: undefined };
    return this.run(passes, total, arena, { ...options, skipping }, (firstMask, batch, uploads) => {
      const output = arena.take(first.name, 4 * batch * sizeOf(first.output));
      const source = { image, masks, channels, firstMask };
      const places = skipping?.places(0, firstMask, batch, uploads);
      const filled = skipping?.fill(first, 0, batch, output) ?? [];
      const masked = this.recordMasked(first, batch, source, output, places);
      return { dispatches: [...filled, ...masked], output, done: 1 };
    });
  }

  /** What need not be computed, where that is worth anything: software adapters compute by tiles they can list. */
  private async skipping(
    steps: readonly Step[],
    masks: Masks,
    options: MaskedRunOptions,
    arena: Arena,
  ): Promise<Skipping | undefined> {
    const listable = this.gpu.adapter.isFallback && !this.forced.conv;
    if (options.skip === false || !listable || masks.channels.length === 0) return undefined;
    const { features } = splitHead(steps);
    const reached = await this.reached(features, masks);
    const work = features.map(({ layer }) => layerFlops(layer));
    const share = activeShare(reached, work);
    options.onShare?.(share);
    if (share > WORTHWHILE) return undefined;
    const baseline = await this.zeroOutputs(features, arena);
    return new Skipping(features, reached, share, baseline);
  }

  /** The tiles each mask reaches in each step. */
  private async reached(
    features: readonly Step[],
    { maps, height, width, ranges, channels, alignCorners }: Masks,
  ): Promise<(StepTiles | undefined)[][]> {
    const { gpu, network } = this;
    const size = height * width;
    const count = channels.reduce((a, b) => Math.max(a, b), 0) + 1;
    const data = await gpu.read(maps.buffer, count * size, (maps.offset ?? 0) / 4);
    const limits = await gpu.read(ranges.buffer, 2 * count, (ranges.offset ?? 0) / 4);
    return Array.from(channels, (k) => {
      const cells = data.subarray(k * size, (k + 1) * size);
      const map = { data: cells, height, width, min: limits[2 * k] as number, alignCorners };
      const { height: rows, width: columns } = network.input;
      const tiles = reachedTiles(maskRegion(map, rows, columns), features);
      return tiles.map((own, i) =>
        i === 0 || this.canSkip(features[i] as Step) ? own : undefined,
      );
    });
  }

  /** Every step's output for the image of zeros, in buffers of the arena. */
  private async zeroOutputs(features: readonly Step[], arena: Arena): Promise<Slice[]> {
    const { input, name } = this.network;
    const zeros = arena.upload('zero image', new Float32Array(sizeOf(input)));
    const dispatches: Dispatch[] = [];
    const outputs: Slice[] = [];
    let current = zeros;
    for (const step of features) {
      const output = arena.take(`${step.name} of zeros`, 4 * sizeOf(step.output));
      dispatches.push(...this.record(step, 1, current, output, arena));
      outputs.push(output);
      current = output;
    }
    await this.gpu.submit(`zero image through ${name}`, dispatches);
    return outputs;
  }

  /**
   * Logits [count, classes] of `count` tensors that stand where the output of `layer` would, or where the
   * image would if it is undefined: only what comes after is run.
   * @param fill records the dispatches that write tensors first .. first + batch - 1 into `output`; what it
   * uploads goes into `uploads`, which lives as long as the batch
   */
  async logitsAfter(
    layer: string | undefined,
    count: number,
    fill: (first: number, batch: number, output: Slice, uploads: Arena) => readonly Dispatch[],
    options: MaskedRunOptions,
  ): Promise<Float32Array> {
    const { network } = this;
    const all = planSteps(network, new Set(layer === undefined ? [] : [layer]));
    const at = all.findIndex(({ name }) => name === layer);
    const input = all[at]?.output ?? network.input;
    const passes = { name: network.name, steps: all.slice(at + 1), input };
    const arena = new Arena(this.gpu);
    return this.run(passes, count, arena, options, (first, batch, uploads) => {
      const output = arena.take('inputs', 4 * batch * sizeOf(input));
      return { dispatches: [...fill(first, batch, output, uploads)], output, done: 0 };
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
    options: MaskedRunOptions & { readonly skipping?: Skipping | undefined },
    begin: (
      first: number,
      batch: number,
      uploads: Arena,
    ) => { dispatches: Dispatch[]; output: Slice; done: 0 | 1 },
  ): Promise<Float32Array> {
    const { gpu, network } = this;
    const { skipping } = options;
    const classes = network.labels.length;
    const { features, head } = splitHead(passes.steps);
    // One submit is always waiting while another runs, so that the GPU never idles between batches.
    let previous: Promise<void> = Promise.resolve();
    // Uploads are written at once, not in the order of dispatches: each batch has buffers of its own for them.
    const uploads: Arena[] = [];
    try {
      const conv = features.find((step) => step.kind === 'conv');
      const plan = planPasses(passes, total, {
        memoryBudget: options.memoryBudget,
        maxBindingBytes: gpu.device.limits.maxStorageBufferBindingSize,
        ...gpu.convolutions,
        activeShare: skipping?.share ?? 1,
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
          const own = new Arena(gpu);
          uploads.push(own);
          const { dispatches, output, done } = begin(blockStart + at, batch, own);
          const from = { first: blockStart + at, done, skipping, uploads: own };
          const last = this.recordSteps(features, batch, output, arena, dispatches, from);
          const label = `passes ${blockStart + at}..${blockStart + at + batch - 1}`;
          const running = gpu.submit(label, dispatches, [
            copyOf(last, gathered.buffer, 4 * at * featureSize),
          ]);
          arena.release(last);
          await both(previous, running);
          for (const old of uploads.splice(0, uploads.length - 1)) old.dispose();
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
      for (const own of uploads) own.dispose();
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
    from?: { first: number; done: number; skipping: Skipping | undefined; uploads: Arena },
  ): Slice {
    let current = input;
    for (const [i, step] of steps.entries()) {
      if (from && i < from.done) continue;
      const output = arena.take(step.name, 4 * batch * sizeOf(step.output));
      const skipping = this.canSkip(step) ? from?.skipping : undefined;
      const places = skipping?.places(i, from?.first as number, batch, from?.uploads as Arena);
      if (places && skipping) dispatches.push(...skipping.fill(step, i, batch, output));
      dispatches.push(...this.record(step, batch, current, output, arena, places));
      arena.release(current);
      current = output;
    }
    return current;
  }

  /** Whether a step can compute listed tiles alone. */
  private canSkip(step: Step): boolean {
    if (step.kind !== 'conv') return false;
    return choosesWinograd(convShape(step.layer, step.pool), this.gpu.convolutions);
  }

  /** The first convolution with the mask fused in. */
  private recordMasked(
    { name: label, layer, pool }: Extract<Step, { kind: 'conv' }>,
    batch: number,
    source: { image: Slice; masks: Masks; channels: Slice; firstMask: number },
    output: Slice,
    places: Places | undefined,
  ): Dispatch[] {
    if (places?.count === 0) return [];
    const { image, masks, channels, firstMask } = source;
    const { dtype, weights, bias } = this.weights.conv(layer);
    const shape = convShape(layer, pool);
    const dispatch = maskedConv(this.convTiling(shape), {
      places,
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
    return [dispatch];
  }

  private record(
    step: Step,
    batch: number,
    input: Slice,
    output: Slice,
    arena: Arena,
    places?: Places,
  ): Dispatch[] {
    const { layer } = step;
    const label = step.name;
    switch (step.kind) {
      case 'conv':
        return places?.count === 0
          ? []
          : this.recordConv(step, batch, input, output, arena, places);
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
    places?: Places,
  ): Dispatch[] {
    const shape = convShape(layer, pool);
    const tensors = { ...this.weights.conv(layer), input, output, places };
    return recordConv(
      { label, shape, batch, ...tensors },
      this.gpu.convolutions,
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
