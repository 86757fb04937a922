import { Arena } from '../gpu/arena';
import type { BufferCopy, Gpu } from '../gpu/gpu';
import type { Dispatch, Slice } from '../gpu/kernel';
import {
  type ConvShape,
  type ConvTiling,
  chooseConvTiling,
  maskedConv,
  maskedTile,
} from '../kernels/convolution/conv';
import { globalAveragePool } from '../kernels/layers/global_average_pool';
import { maxPool } from '../kernels/layers/max_pool';
import { chooseLinearTiling, type LinearTiling, linear } from '../kernels/linear/linear';
import type { Places } from '../kernels/shared/places';
import type { Size } from '../kernels/tiles/tile_grid';
import { WINOGRAD_TILE } from '../kernels/winograd/winograd';
import {
  type ConvLayer,
  type LinearLayer,
  type Network,
  type Shape,
  sizeOf,
} from '../model/network';
import { choosesWinograd } from '../plan/conv_choice';
import {
  convShape,
  nextBatch,
  type Passes,
  planPasses,
  planSteps,
  type Step,
  splitHead,
} from '../plan/plan';
import type { NetworkWeights } from './network-weights';
import { Pace } from './pace';
import { recordConv } from './record-conv';
import { type BatchLists, type Masks, type Reach, Skipping } from './skipping';

export type { Masks, Reach } from './skipping';

export interface MaskedRunOptions {
  readonly memoryBudget: number;
  readonly onMasks?: ((done: number, total: number) => void) | undefined;
  /** False computes every tile, for tests and benchmarks. The logits are the same, bit for bit. */
  readonly skip?: boolean | undefined;
  /** Hears how much of the work masks reach, before they are run. */
  readonly onReach?: ((reach: Reach) => void) | undefined;
  /**
   * Hears logits as soon as a block of masks is through, several times in a run: `positions` in
   * `masks.channels`, and their rows [positions, classes]. The masks that come first are run first.
   */
  readonly onScores?:
    | ((positions: Uint32Array, logits: Float32Array) => void | Promise<void>)
    | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** For tests and benchmarks: use these tilings instead of the ones chosen by adapter and shape. */
export interface ForcedTilings {
  readonly conv?: ConvTiling;
  readonly linear?: LinearTiling;
}

/** Above this share of active work, listing tiles costs more than it saves. */
const WORTHWHILE = 0.9;

/** Into how many blocks masks are cut at least where their scores are wanted as they come. */
const PREVIEWS = 8;

/** What a run skips: the masks' tiles, the zero image's outputs of all steps, and the order of the masks. */
interface Skipped {
  readonly skipping: Skipping;
  readonly baseline: readonly Slice[];
  readonly rows: { readonly order: Uint32Array; readonly list: Slice };
}

/** How a batch begins: what it records, what that leaves, and the steps that are done by it. */
interface Begun {
  readonly dispatches: Dispatch[];
  readonly output: Slice;
  readonly done: 0 | 1;
  readonly lists?: BatchLists | undefined;
}

interface RunOptions extends MaskedRunOptions {
  readonly skipped?: Skipped | undefined;
  /** Masks of a block at most. */
  readonly block?: number | undefined;
  /** Hears of each finished block, its logits [count, classes] read back. */
  readonly onBlock?: ((first: number, logits: Float32Array) => void | Promise<void>) | undefined;
}

/**
 * Runs one network on one GPU: turns steps into dispatches, dispatches into batches, one submit a batch.
 */
export class Runner {
  readonly gpu: Gpu;
  readonly network: Network;
  readonly weights: NetworkWeights;
  private readonly forced: ForcedTilings;
  private zeros: Promise<readonly Slice[]> | undefined;

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
    const classes = this.network.labels.length;
    const arena = new Arena(this.gpu);
    const { features } = splitHead(steps);
    const prepared = await this.prepareSkipping(features, masks, options, arena).catch(
      (error: unknown) => {
        arena.dispose();
        throw error;
      },
    );
    const skipping = prepared?.skipping;
    // Where scores are wanted early, the masks that come first stay in the first blocks.
    const block = options.onScores ? Math.ceil(total / PREVIEWS) : total;
    const order = orderOf(total, block, (mask) => skipping?.workOf(mask) ?? 0);
    const sorted = order.map((mask) => masks.channels[mask] as number);
    const channels = arena.upload('mask channels', sorted);
    const skipped = prepared && {
      ...prepared,
      rows: { order, list: arena.upload('mask order', order) },
    };
    const passes = { name: this.network.name, steps, input: undefined };
    const onBlock = (from: number, logits: Float32Array): void | Promise<void> =>
      options.onScores?.(order.slice(from, from + logits.length / classes), logits);
    const own = { ...options, skipped, ...(options.onScores ? { block, onBlock } : {}) };
    const logits = await this.run(passes, total, arena, own, (firstMask, batch, uploads) => {
      const output = arena.take(first.name, 4 * batch * sizeOf(first.output));
      const source = { image, masks, channels, firstMask };
      const lists = skipped?.skipping.batch(skipped.rows, firstMask, batch, arena, uploads);
      const dispatches = [
        ...(lists ? [lists.dispatch] : []),
        ...this.recordMasked(first, batch, source, output, lists?.active(0)),
        ...(lists?.fill(0, skipped?.baseline[0] as Slice, output) ?? []),
      ];
      return { dispatches, output, done: 1, lists };
    });
    const inOrder = new Float32Array(logits.length);
    order.forEach((mask, at) => {
      inOrder.set(logits.subarray(at * classes, (at + 1) * classes), mask * classes);
    });
    return inOrder;
  }

  /** What need not be computed and what stands there instead, where that is worth anything. */
  private async prepareSkipping(
    features: readonly Step[],
    masks: Masks,
    options: MaskedRunOptions,
    arena: Arena,
  ): Promise<Pick<Skipped, 'skipping' | 'baseline'> | undefined> {
    if (options.skip === false || masks.channels.length === 0) return undefined;
    const tileOf = (step: Step, i: number): Size | undefined => this.tileOf(step, i === 0);
    const skipping = await Skipping.of(this.gpu, features, masks, tileOf, arena);
    if (!skipping) return undefined;
    options.onReach?.(skipping.reach);
    if (skipping.reach.share > WORTHWHILE) return undefined;
    return { skipping, baseline: await this.zeroOutputs(features) };
  }

  /** The tiles of a step that can compute listed ones alone. */
  private tileOf(step: Step, masked: boolean): Size | undefined {
    if (step.kind !== 'conv') return undefined;
    const shape = convShape(step.layer, step.pool);
    if (masked) return maskedTile(this.convTiling(shape), shape);
    const byWinograd = !this.forced.conv && choosesWinograd(shape, this.gpu.convolutions);
    return byWinograd ? WINOGRAD_TILE : undefined;
  }

  /**
   * Every step's output for the image of zeros. It is the same for all images, so it is made once and kept: 34 MB for
   * VGG-16.
   */
  private zeroOutputs(features: readonly Step[]): Promise<readonly Slice[]> {
    this.zeros ??= this.passZeros(features).catch((error: unknown) => {
      this.zeros = undefined;
      throw error;
    });
    return this.zeros;
  }

  private async passZeros(features: readonly Step[]): Promise<Slice[]> {
    const { gpu, network } = this;
    const scratch = new Arena(gpu);
    const outputs: Slice[] = [];
    try {
      const dispatches: Dispatch[] = [];
      let current = scratch.upload('zero image', new Float32Array(sizeOf(network.input)));
      for (const step of features) {
        const size = 4 * sizeOf(step.output);
        const output = { buffer: gpu.createBuffer(`${step.name} of zeros`, size), offset: 0, size };
        outputs.push(output);
        dispatches.push(...this.record(step, 1, current, output, scratch));
        current = output;
      }
      await gpu.submit(`zero image through ${network.name}`, dispatches);
      return outputs;
    } catch (error) {
      for (const { buffer } of outputs) gpu.free(buffer);
      throw error;
    } finally {
      scratch.dispose();
    }
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
   * @param begin records how a batch begins
   * @param arena is disposed of at the end
   */
  private async run(
    passes: Passes,
    total: number,
    arena: Arena,
    options: RunOptions,
    begin: (first: number, batch: number, uploads: Arena) => Begun,
  ): Promise<Float32Array> {
    const { gpu, network } = this;
    const { skipped } = options;
    const classes = network.labels.length;
    const { features, head } = splitHead(passes.steps);
    // One submit is always waiting while another runs, so that the GPU never idles between batches.
    let previous: Promise<void> = Promise.resolve();
    // Uploads are written at once, not in the order of dispatches: each batch has buffers of its own for them.
    const uploads: Arena[] = [];
    // Blocks are told of one after another, beside the passes.
    let heard: Promise<void> = Promise.resolve();
    try {
      const conv = features.find((step) => step.kind === 'conv');
      const plan = planPasses(passes, total, {
        memoryBudget: options.memoryBudget,
        maxBindingBytes: gpu.device.limits.maxStorageBufferBindingSize,
        ...gpu.convolutions,
        ...(conv ? { convDtype: this.weights.conv(conv.layer as ConvLayer).dtype } : {}),
      });
      const pace = new Pace(plan.flopPerSubmit);
      // From the end of one submit to the end of the next the GPU does nothing else. The first may have waited for
      // pipelines, and what follows a head for that.
      let ended: number | undefined;
      const paced = async (running: Promise<void>, flop: number): Promise<void> => {
        await running;
        const now = performance.now();
        if (ended !== undefined) pace.took(flop, now - ended);
        ended = now;
      };
      const workOf = (at: number): number =>
        skipped ? skipped.skipping.workOf(skipped.rows.order[at] as number) : plan.flopPerMask;
      const featureSize = sizeOf(features.at(-1)?.output ?? (passes.input as Shape));
      const scores = arena.take('scores', 4 * total * classes);
      const block = Math.min(plan.block, options.block ?? total);
      for (let start = 0; start < total; start += block) {
        const end = Math.min(start + block, total);
        const gathered = arena.take('features', 4 * (end - start) * featureSize);
        let at = start;
        while (at < end) {
          options.signal?.throwIfAborted();
          const batch = nextBatch({ ...plan, flopPerSubmit: pace.flopPerSubmit }, at, end, workOf);
          const own = new Arena(gpu);
          uploads.push(own);
          const begun = begin(at, batch, own);
          const last = this.recordSteps(features, batch, arena, begun, skipped?.baseline);
          const running = gpu.submit(`passes ${at}..${at + batch - 1}`, begun.dispatches, [
            copyOf(last, gathered.buffer, 4 * (at - start) * featureSize),
          ]);
          arena.release(last);
          if (begun.lists) arena.release(begun.lists.places);
          await both(previous, running);
          for (const old of uploads.splice(0, uploads.length - 1)) old.dispose();
          options.onMasks?.(at, total);
          let flop = 0;
          for (const next = at + batch; at < next; at++) flop += workOf(at);
          previous = paced(running, flop);
        }
        const dispatches: Dispatch[] = [];
        const begun = { dispatches, output: gathered, done: 0 } as const;
        const last = this.recordSteps(head, end - start, arena, begun);
        const running = gpu.submit(`head of passes from ${start}`, dispatches, [
          copyOf(last, scores.buffer, 4 * start * classes),
        ]);
        arena.release(last);
        await both(previous, running);
        ended = undefined;
        previous = running;
        const { onBlock } = options;
        if (onBlock) {
          const count = (end - start) * classes;
          const read = running.then(() => gpu.read(scores.buffer, count, start * classes));
          heard = both(heard, read).then(async () => onBlock(start, await read));
          // What it throws is thrown at the end; until then nobody waits for it.
          heard.catch(() => {});
        }
      }
      await previous;
      await heard;
      options.onMasks?.(total, total);
      return await gpu.read(scores.buffer, total * classes);
    } finally {
      // Buffers must outlive the submits that use them, also when the run ends early.
      await previous.catch(() => {});
      await heard.catch(() => {});
      for (const own of uploads) own.dispose();
      arena.dispose();
    }
  }

  /** Appends `steps` to what has begun, releasing what each step has read; returns what the last leaves. */
  private recordSteps(
    steps: readonly Step[],
    batch: number,
    arena: Arena,
    { dispatches, output: input, done, lists }: Begun,
    baseline: readonly Slice[] = [],
  ): Slice {
    let current = input;
    for (const [i, step] of steps.entries()) {
      if (i < done) continue;
      const output = arena.take(step.name, 4 * batch * sizeOf(step.output));
      dispatches.push(...this.record(step, batch, current, output, arena, lists?.active(i)));
      if (lists?.active(i)) dispatches.push(...lists.fill(i, baseline[i] as Slice, output));
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
      weights,
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
    const device = this.gpu.convolutions;
    const tiling =
      this.forced.linear ?? chooseLinearTiling({ inFeatures, outFeatures, batch }, device);
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
        quads: device.quads,
      }),
    );
  }

  private convTiling(shape: ConvShape): ConvTiling {
    return this.forced.conv ?? chooseConvTiling(shape, this.gpu.adapter);
  }
}

/**
 * The order in which masks are run: in blocks as they come, in a block those with most work first, so that the
 * masks of a batch are alike and small ones are many in one.
 */
function orderOf(
  total: number,
  block: number,
  workOf: (mask: number) => number,
): Uint32Array<ArrayBuffer> {
  const work = Float64Array.from({ length: total }, (_, mask) => workOf(mask));
  const order = new Uint32Array(total);
  for (let start = 0; start < total; start += block) {
    const masks = Array.from({ length: Math.min(block, total - start) }, (_, i) => start + i);
    masks.sort((a, b) => (work[b] as number) - (work[a] as number) || a - b);
    order.set(masks, start);
  }
  return order;
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
async function both(earlier: Promise<unknown>, later: Promise<unknown>): Promise<void> {
  try {
    await earlier;
  } catch (error) {
    await later.catch(() => {});
    throw error;
  }
}
