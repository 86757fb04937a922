import { Arena } from '../gpu/arena';
import type { BufferCopy, Gpu } from '../gpu/gpu';
import type { Dispatch, Slice } from '../gpu/kernel';
import { firstNotFinite } from '../numbers/finite';
import { nextBatch, type Passes, planBatches } from '../plan/batches';
import { Pace } from './pace';
import { type Recorder, type Recording, recordSoftmax, type Tensors } from './recorder';
import type { Scores } from './scores';

export interface BatchOptions {
  /** Bytes of GPU memory for activations and features together. */
  readonly memoryBudget: number;
  readonly onPasses?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Floating-point operations left of an item, by its place in the run. Default: all of them. */
  readonly workOf?: ((at: number) => number) | undefined;
  /** Items of a block at most. */
  readonly block?: number | undefined;
  /** The error to throw where the logits of an item, by its place in the run, are not finite. */
  readonly overflow: (at: number) => Promise<Error>;
  /** Gets the scores [items, classes] of each finished block, its items in the order of the run. */
  readonly onBlock: (first: number, scores: Scores) => void | Promise<void>;
}

/** How a batch begins. */
export interface Begun extends Omit<Recording, 'batch' | 'arena'> {
  /** What is recorded before its first step. */
  readonly dispatches: readonly Dispatch[];
  /** The tensors that its steps start from. */
  readonly given: Tensors;
  /** What goes back to the arena with its tensors. */
  readonly release?: readonly Slice[];
}

/**
 * Runs passes over `total` items in batches, one submit a batch. The fully connected layers, and the softmax of what
 * they leave, run over the features of a whole block of items at once, so that their weights are read once a block,
 * not once a batch.
 * @param arena gives buffers until all is done
 * @param begin records how the batch of items at .. at + batch - 1 begins; what it uploads goes into `uploads`, which
 *   lives as long as the batch
 */
export async function runBatches(
  gpu: Gpu,
  recorder: Recorder,
  passes: Passes,
  total: number,
  arena: Arena,
  options: BatchOptions,
  begin: (at: number, batch: number, uploads: Arena) => Begun,
): Promise<void> {
  const { plan, features, head, input } = passes;
  const { onBlock, signal } = options;
  const classes = plan.network.labels.length;
  const batches = planBatches(passes, total, options.memoryBudget);
  const workOf = options.workOf ?? (() => batches.flopPerMask);
  const featureBytes = features.at(-1)?.bytes.output ?? passes.inputBytes;
  const featureName = features.at(-1)?.name ?? input;
  const logitsName = head.at(-1)?.name ?? featureName;
  const block = Math.min(batches.block, options.block ?? total);
  const pace = new Pace(batches.flopPerSubmit);
  // From the end of one submit to the end of the next the GPU does nothing else. The first may have waited for
  // pipelines, and what follows a head for that.
  let ended: number | undefined;
  const paced = async (running: Promise<void>, flop: number): Promise<void> => {
    await running;
    const now = performance.now();
    if (ended !== undefined) pace.took(flop, now - ended);
    ended = now;
  };
  // One submit is always waiting while another runs, so that the GPU never idles between batches.
  let previous: Promise<unknown> = Promise.resolve();
  // Uploads are written at once, not in the order of dispatches: each batch has buffers of its own for them.
  const uploads: Arena[] = [];
  // Blocks are told of one after another, beside the passes.
  let heard: Promise<void> = Promise.resolve();
  try {
    for (let start = 0; start < total; start += block) {
      const end = Math.min(start + block, total);
      const items = end - start;
      const gathered = arena.take('features', items * featureBytes);
      let at = start;
      while (at < end) {
        signal?.throwIfAborted();
        const batch = nextBatch({ ...batches, flopPerSubmit: pace.flopPerSubmit }, at, end, workOf);
        const own = new Arena(gpu);
        uploads.push(own);
        const { dispatches: first, given, release = [], ...begun } = begin(at, batch, own);
        const { dispatches, tensors } = recorder.steps(features, given, { ...begun, batch, arena });
        const last = tensors.get(featureName) as Slice;
        const running = gpu.submit(
          `passes ${at}..${at + batch - 1}`,
          [...first, ...dispatches],
          [copyOf(last, gathered.buffer, (at - start) * featureBytes)],
        );
        for (const slice of [...tensors.values(), ...release]) arena.release(slice);
        await both(previous, running);
        for (const old of uploads.splice(0, uploads.length - 1)) old.dispose();
        options.onPasses?.(at, total);
        let flop = 0;
        for (const next = at + batch; at < next; at++) flop += workOf(at);
        previous = paced(running, flop);
      }
      const given = new Map([[featureName, gathered]]);
      const { dispatches, tensors } = recorder.steps(head, given, { batch: items, arena });
      const ends = tensors.get(logitsName) as Slice;
      const likely = arena.take('probabilities', 4 * items * classes);
      const running = gpu
        .compute(
          `head of passes from ${start}`,
          [...dispatches, recordSoftmax(ends, likely, items, classes)],
          [ends, likely],
        )
        .then(async ([logits, probabilities]) => {
          const bad = firstNotFinite(logits);
          if (bad >= 0) throw await options.overflow(start + Math.floor(bad / classes));
          return { logits, probabilities };
        });
      for (const slice of [...tensors.values(), likely]) arena.release(slice);
      await both(previous, running);
      ended = undefined;
      previous = running;
      heard = both(heard, running).then(async () => onBlock(start, await running));
      // What it throws is thrown at the end; until then nobody waits for it.
      heard.catch(() => {});
    }
    await previous;
    await heard;
    options.onPasses?.(total, total);
  } finally {
    // Buffers must outlive the submits that use them, also when the run ends early.
    await previous.catch(() => {});
    await heard.catch(() => {});
    for (const own of uploads) own.dispose();
  }
}

export function copyOf(from: Slice, to: GPUBuffer, toOffset: number): BufferCopy {
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
  // It may fail first; until it is waited for nobody else handles that.
  later.catch(() => {});
  try {
    await earlier;
  } catch (error) {
    await later.catch(() => {});
    throw error;
  }
}
