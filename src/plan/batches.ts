import { ScoreCamError } from '../errors';
import { filterBytes } from '../kernels/winograd/transformed';
import { winogradScratch } from '../kernels/winograd/winograd';
import { IMAGE, sizeOf } from '../model/network';
import { keeping, type Plan } from './compile';
import type { Step } from './steps';

export interface BatchPlan {
  /** Masks of one submit through the convolutions at most: what fits memory. */
  readonly most: number;
  /** Masks whose pooled features are gathered before the fully connected layers run over all of them. */
  readonly block: number;
  /** Bytes of activations and scratch one mask alone needs at the widest point. */
  readonly bytesPerMask: number;
  /** Floating-point operations of the first submit; later ones go by what that took (runtime/pace.ts). */
  readonly flopPerSubmit: number;
  /** Floating-point operations of one mask's convolutions if nothing is skipped. */
  readonly flopPerMask: number;
}

/**
 * Work of the first submit, which nothing is known of yet: no more than a third of a second on a software adapter
 * at 8 GFLOP/s and on a slow GPU at 0.2 TFLOP/s.
 */
const FLOP_PER_SUBMIT = { software: 2.5e9, gpu: 60e9 } as const;

/** What goes through the network: steps of a plan, and what each item brings along. */
export interface Passes {
  readonly plan: Plan;
  readonly features: readonly Step[];
  readonly head: readonly Step[];
  /** The tensor each item starts from. */
  readonly input: string;
  /** Its bytes; 0 where the first step masks the image that all share. */
  readonly inputBytes: number;
}

/** A masked pass for each item, from the image on. */
export function maskedPasses(plan: Plan): Passes {
  return { plan, features: plan.features, head: plan.head, input: IMAGE, inputBytes: 0 };
}

/** Passes from the output of `layer` on, or from the image where it is undefined, each item with a tensor of its own. */
export function passesBehind(plan: Plan, layer: string | undefined): Passes {
  const own = layer === undefined ? plan : keeping(plan, [layer]);
  // Nothing of that layer or before it is to be run.
  const at = layer === undefined ? 0 : 1 + own.steps.findIndex(({ name }) => name === layer);
  const tensorOf = ({ name, home }: Step): string => home?.tensor ?? name;
  const behind = new Set([layer ?? IMAGE, ...own.steps.slice(at).map(tensorOf)]);
  for (const step of own.steps.slice(0, at)) if (step.name !== layer) behind.delete(tensorOf(step));
  const bypass = own.steps
    .slice(at)
    .find(({ inputs }) => inputs.some((input) => !behind.has(input)));
  if (bypass) {
    throw new ScoreCamError(
      'option',
      `Layer "${layer}" is bypassed: "${bypass.name}" also reads what comes before it, so nothing can be put in its ` +
        'place. Choose a layer that everything goes through, such as the last one with activation maps.',
    );
  }
  const output = own.steps[at - 1]?.bytes.output ?? 4 * sizeOf(plan.network.input);
  return {
    plan: own,
    features: own.features.slice(at),
    head: own.steps.slice(Math.max(at, own.features.length)),
    input: layer ?? IMAGE,
    inputBytes: output,
  };
}

/** Bytes that live while a step runs besides its input and output: what grows with the masks, and what does not. */
function scratchOf(
  step: Step,
  masks: number,
  isMasked: boolean,
): { readonly tensors: readonly number[]; readonly fixed: number } {
  if (step.kind !== 'conv') return { tensors: [], fixed: 0 };
  const { shape, method, layout } = step;
  if (method.kind === 'direct' || (isMasked && method.kind !== 'fused')) {
    return { tensors: [], fixed: 0 };
  }
  return {
    // In registers scratch grows with the batch; in slices it stays below a bound.
    tensors:
      method.kind === 'winograd'
        ? Object.values(winogradScratch(shape, masks, undefined, method))
        : [],
    // Filters that are transformed anew, one layer's at a time.
    fixed: layout.transformed ? 0 : filterBytes(shape, method),
  };
}

/**
 * How many of `count` masks go through the network at once.
 * @param memoryBudget bytes for activations and features together
 * @throws ScoreCamError `limit` if even one does not fit, naming need and limit.
 */
export function planBatches(passes: Passes, count: number, memoryBudget: number): BatchPlan {
  const { plan, features, head, inputBytes } = passes;
  const { isFallback, maxStorageBufferBindingSize: maxBinding } = plan.facts;
  const flop = FLOP_PER_SUBMIT[isFallback ? 'software' : 'gpu'];
  // The first convolution masks directly, whatever computes it without a mask.
  const scratch = (step: Step, masks: number) =>
    scratchOf(step, masks, step === features[0] && inputBytes === 0);
  const largest = (masks: number): number =>
    Math.max(
      masks * inputBytes,
      ...features.flatMap((step) => [
        masks * (step.home?.bytes ?? step.bytes.output),
        ...scratch(step, masks).tensors,
      ]),
    );
  // While a step runs, what is still to be read lives, and its output and scratch.
  const held = (masks: number): number => {
    const alive = new Map([[passes.input, inputBytes]]);
    const sum = (sizes: Iterable<number>): number => [...sizes].reduce((a, b) => a + b, 0);
    return Math.max(
      masks * inputBytes,
      ...features.map((step) => {
        const { name, home, last, bytes } = step;
        alive.set(home?.tensor ?? name, home?.bytes ?? bytes.output);
        const need = masks * sum(alive.values()) + sum(scratch(step, masks).tensors);
        for (const tensor of last) alive.delete(tensor);
        return need;
      }),
    );
  };
  const bytesPerMask = held(1);
  const fixedBytes = Math.max(0, ...features.map((step) => scratch(step, 1).fixed));
  const featureBytes = features.at(-1)?.bytes.output ?? inputBytes;
  const headBytes = Math.max(featureBytes, ...head.map(({ bytes }) => bytes.output));
  // A quarter of the budget is for features and head, the rest for the activations of a batch.
  const fitting = largestThat(
    count,
    (masks) => largest(masks) <= maxBinding && held(masks) + fixedBytes <= 0.75 * memoryBudget,
  );
  const block = Math.floor(
    Math.min(
      count,
      maxBinding / headBytes,
      (0.25 * memoryBudget) / (featureBytes + 2 * headBytes),
      head.length > 0 ? Math.max(1, flop / flopOf(head)) : count,
    ),
  );
  if (count > 0 && (fitting < 1 || block < 1)) {
    const need = Math.ceil(
      Math.max((bytesPerMask + fixedBytes) / 0.75, (featureBytes + 2 * headBytes) / 0.25),
    );
    throw new ScoreCamError(
      'limit',
      `Network "${plan.network.name}" needs ${need} bytes for one masked pass with bindings of up to ` +
        `${Math.max(largest(1), headBytes)} bytes; the memory budget is ${memoryBudget} bytes and ` +
        `the device binds up to ${maxBinding}. Raise memoryBudget or use a smaller network.`,
    );
  }
  return {
    most: Math.min(fitting, block),
    block,
    bytesPerMask,
    flopPerSubmit: flop,
    flopPerMask: flopOf(features),
  };
}

/**
 * How many masks the next batch takes, from mask `at` on: as many as fit memory and the work of one submit, at
 * least one.
 * @param workOf floating-point operations of a mask, by its place in the run
 */
export function nextBatch(
  { most, flopPerSubmit }: Pick<BatchPlan, 'most' | 'flopPerSubmit'>,
  at: number,
  end: number,
  workOf: (at: number) => number,
): number {
  let size = 1;
  let work = workOf(at);
  while (size < most && at + size < end) {
    work += workOf(at + size);
    if (work > flopPerSubmit) break;
    size++;
  }
  return size;
}

/** The largest of 0 .. bound that fits, where whatever is smaller fits too. */
function largestThat(bound: number, fits: (count: number) => boolean): number {
  let low = 0;
  let high = bound;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

function flopOf(steps: readonly Step[]): number {
  return steps.reduce((sum, { flop }) => sum + flop, 0);
}
