import { ScoreCamError } from '../errors';
import type { ConvShape } from '../kernels/convolution/conv';
import { winogradFilterBytes, winogradScratch } from '../kernels/winograd/winograd';
import type { ConvLayer, Layer, LinearLayer, Network, Shape } from '../model/network';
import { layerFlops, sizeOf } from '../model/network';
import type { ConvDtype } from '../numbers/dtypes';
import { type ConvDevice, chooseConv } from './conv_choice';

/** One dispatch group of the network: a layer, or a convolution with the pooling after it. */
export type Step =
  | {
      readonly kind: 'conv';
      readonly name: string;
      readonly layer: ConvLayer;
      readonly pool: boolean;
      readonly output: Shape;
    }
  | {
      readonly kind: 'maxpool' | 'globalavgpool';
      readonly name: string;
      readonly layer: Layer;
      readonly output: Shape;
    }
  | {
      readonly kind: 'linear';
      readonly name: string;
      readonly layer: LinearLayer;
      readonly output: Shape;
    };

/**
 * The network's layers as steps. A pooling is fused into the convolution before it, unless that
 * convolution's own output is to be kept. A step is named after the last layer it computes.
 */
export function planSteps(network: Network, keep: ReadonlySet<string> = new Set()): Step[] {
  const steps: Step[] = [];
  const { layers } = network;
  for (let i = 0; i < layers.length; i++) {
    const layer = layers[i] as Layer;
    const next = layers[i + 1];
    if (layer.type === 'conv') {
      const pool = next?.type === 'maxpool' && !keep.has(layer.name);
      const last = pool ? next : layer;
      steps.push({ kind: 'conv', name: last.name, layer, pool, output: last.output });
      if (pool) i++;
    } else if (layer.type === 'linear') {
      steps.push({ kind: 'linear', name: layer.name, layer, output: layer.output });
    } else {
      steps.push({ kind: layer.type, name: layer.name, layer, output: layer.output });
    }
  }
  return steps;
}

/** Everything before the first fully connected layer, and everything from it on. */
export function splitHead(steps: readonly Step[]): { features: Step[]; head: Step[] } {
  const first = steps.findIndex((step) => step.kind === 'linear');
  const cut = first < 0 ? steps.length : first;
  return { features: steps.slice(0, cut), head: steps.slice(cut) };
}

/** The kernel's view of a convolution layer. */
export function convShape(layer: ConvLayer, pool: boolean): ConvShape {
  return {
    inChannels: layer.input.channels,
    outChannels: layer.output.channels,
    height: layer.input.height,
    width: layer.input.width,
    kernel: layer.kernel,
    slope: layer.slope,
    pool,
  };
}

export interface BatchLimits extends ConvDevice {
  /** Bytes for activations and features together. */
  readonly memoryBudget: number;
  readonly maxBindingBytes: number;
  /** Of the convolutions' weights, f32 if absent: Winograd makes filters of f16 anew at each use. */
  readonly convDtype?: ConvDtype;
}

export interface BatchPlan {
  /** Masks of one submit through the convolutions at most: what fits memory. */
  readonly most: number;
  /** Masks whose pooled features are gathered before the fully connected layers run over all of them. */
  readonly block: number;
  /** Bytes of activations and scratch one mask alone needs at the widest point. */
  readonly bytesPerMask: number;
  /** Floating-point operations of the first submit; later ones go by what that took (pace.ts). */
  readonly flopPerSubmit: number;
  /** Floating-point operations of one mask's convolutions if nothing is skipped. */
  readonly flopPerMask: number;
}

/**
 * Work of the first submit, which nothing is known of yet: no more than a third of a second on a software adapter
 * at 8 GFLOP/s and on a slow GPU at 0.2 TFLOP/s.
 */
const FLOP_PER_SUBMIT = { software: 2.5e9, gpu: 60e9 } as const;

/** What goes through the network: steps, and what each item brings along. */
export interface Passes {
  readonly name: string;
  readonly steps: readonly Step[];
  /** The tensor each item starts from; undefined where the first step masks the image that all share. */
  readonly input: Shape | undefined;
}

/**
 * How many masks go through the network at once.
 * @throws ScoreCamError `limit` if even one does not fit, naming need and limit.
 */
export function planBatches(network: Network, masks: number, limits: BatchLimits): BatchPlan {
  const passes = { name: network.name, steps: planSteps(network), input: undefined };
  return planPasses(passes, masks, limits);
}

/** The same for any steps, with or without a tensor of their own for each item. */
export function planPasses(passes: Passes, count: number, limits: BatchLimits): BatchPlan {
  const { features, head } = splitHead(passes.steps);
  const flop = FLOP_PER_SUBMIT[limits.isFallback ? 'software' : 'gpu'];
  const bytes = (shape: Shape): number => 4 * sizeOf(shape);
  const own = passes.input ? bytes(passes.input) : 0;
  const winograd = features.map((step, i) => {
    const masked = i === 0 && !passes.input;
    if (step.kind !== 'conv' || masked) return undefined;
    const shape = convShape(step.layer, step.pool);
    const method = chooseConv(shape, limits);
    return method.kind === 'winograd' ? { shape, method } : undefined;
  });
  // In registers scratch grows with the batch; in slices it stays below a bound.
  const scratchOf = (i: number, masks: number): number[] => {
    const convolved = winograd[i];
    if (!convolved) return [];
    const { shape, method } = convolved;
    return Object.values(winogradScratch(shape, masks, undefined, method));
  };
  const largest = (masks: number): number =>
    Math.max(
      masks * own,
      ...features.flatMap((step, i) => [masks * bytes(step.output), ...scratchOf(i, masks)]),
    );
  // While a step runs its input, output and scratch live.
  const held = (masks: number): number =>
    Math.max(
      masks * own,
      ...features.map((step, i) => {
        const before = features[i - 1];
        const tensors = masks * (bytes(step.output) + (before ? bytes(before.output) : own));
        return scratchOf(i, masks).reduce((sum, size) => sum + size, tensors);
      }),
    );
  const bytesPerMask = held(1);
  // However many masks there are, the filters of one layer at a time.
  const fixedBytes = Math.max(
    0,
    ...winograd.map((convolved) =>
      convolved && limits.convDtype === 'f16'
        ? winogradFilterBytes(convolved.shape, convolved.method)
        : 0,
    ),
  );
  const last = features.at(-1);
  const featureBytes = last ? bytes(last.output) : own;
  const headBytes = Math.max(featureBytes, ...head.map((step) => bytes(step.output)));
  // A quarter of the budget is for features and head, the rest for the activations of a batch.
  const fitting = largestThat(
    count,
    (masks) =>
      largest(masks) <= limits.maxBindingBytes &&
      held(masks) + fixedBytes <= 0.75 * limits.memoryBudget,
  );
  const block = Math.floor(
    Math.min(
      count,
      limits.maxBindingBytes / headBytes,
      (0.25 * limits.memoryBudget) / (featureBytes + 2 * headBytes),
      head.length > 0 ? Math.max(1, flop / flopOf(head)) : count,
    ),
  );
  if (count > 0 && (fitting < 1 || block < 1)) {
    const need = Math.ceil(
      Math.max((bytesPerMask + fixedBytes) / 0.75, (featureBytes + 2 * headBytes) / 0.25),
    );
    throw new ScoreCamError(
      'limit',
      `Network "${passes.name}" needs ${need} bytes for one masked pass with bindings of up to ` +
        `${Math.max(largest(1), headBytes)} bytes; the memory budget is ${limits.memoryBudget} bytes and ` +
        `the device binds up to ${limits.maxBindingBytes}. Raise memoryBudget or use a smaller network.`,
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
  return steps.reduce((sum, step) => sum + layerFlops(step.layer), 0);
}
