import { ScoreCamError } from '../errors';
import { Arena } from '../gpu/arena';
import type { Gpu } from '../gpu/gpu';
import type { Dispatch, Slice } from '../gpu/kernel';
import type { Network } from '../model/network';
import { IMAGE } from '../model/network';
import { firstNotFinite } from '../numbers/finite';
import { maskedPasses } from '../plan/batches';
import { keeping, type Plan } from '../plan/compile';
import type { Step } from '../plan/steps';
import { type BatchOptions, runBatches } from './batches';
import type { Engine } from './engine';
import { asTheyCome, type Finished, FinishedScores, finish } from './finished';
import { halving } from './halving';
import type { NetworkWeights } from './network-weights';
import { type PartialOutputs, Recorder, recordSoftmax } from './recorder';
import { type LayerMagnitude, NO_SCORES, type Scores } from './scores';
import { type Masks, type Reach, Skipping } from './skipping';
import { zeroOutputs } from './zeros';

export type { Scores } from './scores';
export type { Masks, Reach } from './skipping';

export interface PassOptions extends Pick<BatchOptions, 'memoryBudget' | 'onPasses' | 'signal'> {
  /** Takes scores as they come, and has those that a run before this one has left. Default: none. */
  readonly finished?: FinishedScores | undefined;
}

export interface MaskedPassOptions extends PassOptions {
  /** False computes every tile, for tests and benchmarks. The scores are the same, bit for bit. */
  readonly skip?: boolean | undefined;
  /** Hears how much of the work masks reach, before they are run. */
  readonly onReach?: ((reach: Reach) => void) | undefined;
  /**
   * Hears scores as soon as a block of masks is through, several times in a run: which masks, and their rows
   * [positions, classes].
   */
  readonly onScores?:
    | ((positions: Uint32Array, scores: Scores) => void | Promise<void>)
    | undefined;
  /** Some masks are run again by plain kernels, and a score that differs is an error: validation.ts. */
  readonly validate?: boolean | undefined;
  /** With `onScores`: of each mask; those with the largest are run, and heard of, first. Default: as they come. */
  readonly priority?: ArrayLike<number> | undefined;
}

/** What is computed from the outputs that a forward pass keeps, and read in the same go as its scores. */
export interface Following {
  readonly dispatches: readonly Dispatch[];
  readonly reads: readonly Slice[];
}

export interface ForwardPassOptions {
  /** Layers whose outputs stay, in buffers of the caller's arena. */
  readonly keep?: readonly string[];
  /** What is made of them. */
  readonly following?: (kept: ReadonlyMap<string, Slice>) => Following;
  /**
   * False looks at no layer's output: for passes whose logits are all that is wanted, where what overflows shows, too.
   * Default true.
   */
  readonly magnitudes?: boolean;
  /** Whose pass it is, for messages. Default: this image. */
  readonly of?: string;
}

/** Above this share of active work, listing tiles costs more than it saves. */
const WORTHWHILE = 0.9;

/** Into how many blocks masks are cut at least where their scores are wanted as they come. */
const PREVIEWS = 8;

/** How often one piece of work is begun again on a new device. */
const RENEWALS = 2;

/** Runs one network on one GPU, as its plan says, and on another when that is lost. */
export class Runner {
  private engine: Engine;
  private recorder: Recorder;
  private zeros: Promise<ReadonlyMap<string, Slice>> | undefined;
  private readonly renew: (() => Promise<Engine>) | undefined;
  private renewal: Promise<void> | undefined;
  private disposed = false;

  /** @param renew makes an engine on a new device; without it a lost device is the end */
  constructor(gpu: Gpu, plan: Plan, weights: NetworkWeights, renew?: () => Promise<Engine>) {
    this.engine = { gpu, plan, weights };
    this.recorder = new Recorder(weights);
    this.renew = renew;
  }

  get gpu(): Gpu {
    return this.engine.gpu;
  }

  get plan(): Plan {
    return this.engine.plan;
  }

  get weights(): NetworkWeights {
    return this.engine.weights;
  }

  /** Frees weights and device, unless the device is the caller's. */
  dispose(): void {
    this.disposed = true;
    this.weights.dispose();
    this.gpu.dispose();
  }

  /**
   * Does some work, and does it again on a new device if this one is lost meanwhile, at most twice.
   * @throws ScoreCamError `device-lost` where no new one can be had; the next call tries again
   */
  async lasting<T>(work: () => Promise<T>): Promise<T> {
    for (let left = RENEWALS; ; left--) {
      if (this.gpu.isLost && this.renew && !this.disposed) await this.renewed(this.renew);
      const { gpu } = this;
      try {
        return await work();
      } catch (error) {
        const begins = gpu.isLost && this.renew && !this.disposed && left > 0;
        if (!begins || !(error instanceof ScoreCamError)) throw error;
      }
    }
  }

  /** Once for all who wait for it. */
  private renewed(renew: () => Promise<Engine>): Promise<void> {
    this.renewal ??= renew()
      .then(
        (engine) => {
          this.gpu.dispose();
          this.engine = engine;
          this.recorder = new Recorder(engine.weights);
          this.zeros = undefined;
          if (this.disposed) this.dispose();
        },
        async (cause: unknown) => {
          throw (await import('../gpu/faults')).noNewDevice(cause);
        },
      )
      .finally(() => {
        this.renewal = undefined;
      });
    return this.renewal;
  }

  get network(): Network {
    return this.plan.network;
  }

  /**
   * One forward pass of one image [C, H, W] (normalised): its scores, the largest magnitude of each step's output, what is
   * kept, and what is made of that.
   * @throws ScoreCamError `not-finite` naming the first layer that overflows
   */
  async forward(
    image: Slice,
    arena: Arena,
    { keep = [], following, magnitudes: looks = true, of = 'this image' }: ForwardPassOptions = {},
  ): Promise<
    Scores & {
      readonly magnitudes: readonly LayerMagnitude[];
      readonly kept: ReadonlyMap<string, Slice>;
      readonly read: readonly Float32Array<ArrayBuffer>[];
    }
  > {
    const { gpu, network, plan } = this;
    const { steps } = keeping(plan, keep);
    const classes = network.labels.length;
    const magnitudes = looks
      ? arena.upload('largest magnitudes', new Float32Array(steps.length))
      : undefined;
    const { dispatches, tensors } = this.recorder.steps(steps, new Map([[IMAGE, image]]), {
      batch: 1,
      arena,
      magnitudes,
    });
    const last = (steps.at(-1) as Step).name;
    const logits = tensors.get(last) as Slice;
    const probabilities = arena.take('probabilities', 4 * classes);
    const kept = new Map(keep.map((name) => [name, tensors.get(name) as Slice]));
    const { dispatches: more = [], reads = [] } = following?.(kept) ?? {};
    const looked = magnitudes ? [magnitudes] : [];
    const [scores, likelihoods, ...others] = await gpu.compute(
      `forward ${network.name}`,
      [...dispatches, recordSoftmax(logits, probabilities, 1, classes), ...more],
      [logits, probabilities, ...looked, ...reads],
    );
    for (const slice of [probabilities, ...looked]) arena.release(slice);
    if (!keep.includes(last)) arena.release(logits);
    const largest = looks ? others[0] : undefined;
    if (firstNotFinite(largest ?? scores) >= 0) {
      const { overflow, overflowOf } = await import('./overflow');
      throw largest ? overflow(plan, steps, largest, of) : await overflowOf(this, image, of);
    }
    return {
      logits: scores,
      probabilities: likelihoods,
      magnitudes: Array.from(largest ?? [], (most, i) => ({
        layer: (steps[i] as Step).name,
        largest: most,
      })),
      kept,
      read: others.slice(looked.length),
    };
  }

  /**
   * The masked passes: scores [masks, classes] of image * H_k for every mask, in the order of `masks.channels`
   * whatever order they are run in, read back once. Masked images never exist in memory: the first convolution masks
   * as it loads.
   * @throws ScoreCamError `not-finite` if a logit overflows, `kernel` if validation finds another; the signal's reason on
   * abort
   */
  async maskedScores(image: Slice, masks: Masks, options: MaskedPassOptions): Promise<Scores> {
    const total = masks.channels.length;
    const classes = this.network.labels.length;
    if (total === 0) return NO_SCORES;
    const { finished: journal = new FinishedScores(), memoryBudget, onScores, validate } = options;
    const validation = validate
      ? (await import('./validation')).validationOf(this.engine)
      : undefined;
    const finished = journal.next(total, classes);
    const through = asTheyCome(total).filter((mask) => finished.through[mask]);
    if (through.length > 0) await onScores?.(...rowsOf(finished, through, classes));
    await halving(memoryBudget, (budget) =>
      this.maskedScoresWithin(budget, image, masks, finished, options),
    );
    await validation?.(image, masks, finished, options.signal);
    return finished;
  }

  /** Those of the masks that are not through yet, in batches that fit the memory. */
  private async maskedScoresWithin(
    memoryBudget: number,
    image: Slice,
    masks: Masks,
    finished: Finished,
    options: MaskedPassOptions,
  ): Promise<void> {
    const { gpu, plan, recorder } = this;
    const { onPasses, onScores, priority, signal } = options;
    const classes = this.network.labels.length;
    const left = asTheyCome(masks.channels.length).filter((mask) => !finished.through[mask]);
    const before = masks.channels.length - left.length;
    if (left.length === 0) return;
    const arena = new Arena(gpu);
    try {
      const skipping = await this.skipping(masks, options, arena);
      const zeros = skipping && (await this.zeroOutputs(skipping.steps));
      // Where scores are wanted early, the masks that come first stay in the first blocks.
      const block = onScores ? Math.ceil(masks.channels.length / PREVIEWS) : left.length;
      const wanted = onScores && priority ? byPriority(left, priority) : left;
      const order = orderOf(wanted, block, (mask) => skipping?.workOf(mask) ?? 0);
      // A mask is called by its place in the caller's list up to here, and again from here on down.
      const channels = arena.upload(
        'mask channels',
        order.map((mask) => masks.channels[mask] as number),
      );
      const rows = { order, list: arena.upload('mask order', order) };
      await runBatches(
        gpu,
        recorder,
        maskedPasses(plan),
        left.length,
        arena,
        {
          memoryBudget,
          onPasses: onPasses && ((done, total) => onPasses(before + done, before + total)),
          signal,
          workOf: skipping ? (at) => skipping.workOf(order[at] as number) : undefined,
          block,
          overflow: async (at) => {
            const { maskedOverflow } = await import('./overflow');
            return maskedOverflow(this, image, masks, order[at] as number);
          },
          onBlock: (first, own) => {
            const through = order.slice(first, first + own.logits.length / classes);
            finish(finished, through, own, classes);
            return onScores?.(through, own);
          },
        },
        (firstMask, batch, uploads) => {
          const masked = { image, masks, channels, firstMask };
          if (!skipping || !zeros) return { dispatches: [], given: new Map(), masked };
          const lists = skipping.batch(rows, firstMask, batch, arena, uploads);
          const partial: PartialOutputs = {
            active: (step) => lists.active(step),
            fill: (step, output) => lists.fill(step, zeros.get(step.name) as Slice, output),
          };
          const { dispatch, places } = lists;
          return { dispatches: [dispatch], given: new Map(), masked, partial, release: [places] };
        },
      );
    } finally {
      arena.dispose();
    }
  }

  /** What need not be computed, where that is worth anything. */
  private async skipping(
    masks: Masks,
    options: MaskedPassOptions,
    arena: Arena,
  ): Promise<Skipping | undefined> {
    if (options.skip === false) return undefined;
    const skipping = await Skipping.of(this.gpu, this.plan.features, masks, arena);
    if (!skipping) return undefined;
    options.onReach?.(skipping.reach);
    return skipping.reach.share > WORTHWHILE ? undefined : skipping;
  }

  /** They are the same for all images, so they are made once and kept. */
  private zeroOutputs(steps: readonly Step[]): Promise<ReadonlyMap<string, Slice>> {
    this.zeros ??= zeroOutputs(this.gpu, this.recorder, this.plan, steps).catch(
      (error: unknown) => {
        this.zeros = undefined;
        throw error;
      },
    );
    return this.zeros;
  }
}

/** Masks by priority, the largest first; equal ones as they come, so that the order is the same everywhere. */
function byPriority(masks: readonly number[], priority: ArrayLike<number>): number[] {
  return masks.toSorted((a, b) => (priority[b] as number) - (priority[a] as number) || a - b);
}

/**
 * The order in which masks are run: in blocks as wanted, in a block those with most work first, so that the masks of
 * a batch are alike and small ones are many in one.
 */
function orderOf(
  wanted: readonly number[],
  block: number,
  workOf: (mask: number) => number,
): Uint32Array<ArrayBuffer> {
  const order = new Uint32Array(wanted.length);
  for (let start = 0; start < wanted.length; start += block) {
    const own = wanted
      .slice(start, start + block)
      .map((mask, i) => ({ mask, i, work: workOf(mask) }));
    own.sort((a, b) => b.work - a.work || a.i - b.i);
    order.set(
      own.map(({ mask }) => mask),
      start,
    );
  }
  return order;
}

/** The rows of some masks, as `onScores` hears of them. */
function rowsOf(
  { logits, probabilities }: Scores,
  masks: readonly number[],
  classes: number,
): [Uint32Array, Scores] {
  const rows = (all: Float32Array): Float32Array<ArrayBuffer> =>
    Float32Array.from(
      masks.flatMap((mask) => [...all.subarray(mask * classes, (mask + 1) * classes)]),
    );
  return [Uint32Array.from(masks), { logits: rows(logits), probabilities: rows(probabilities) }];
}
