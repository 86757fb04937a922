import { ScoreCamError } from '../errors';
import type { ConvShape } from '../kernels/conv';
import type { ConvDtype } from '../kernels/weight_dtype';
import { choosesWinograd, winogradFilterBytes, winogradScratch } from '../kernels/winograd';
import type { ConvLayer, Layer, LinearLayer, Network, Shape } from '../model/network';
import { layerFlops, sizeOf } from '../model/network';

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

export interface BatchLimits {
  /** Bytes for activations and features together. */
  readonly memoryBudget: number;
  readonly maxBindingBytes: number;
  readonly isFallback: boolean;
  /** Of the convolutions' weights, f32 if absent: Winograd makes filters of f16 anew at each use. */
  readonly convDtype?: ConvDtype;
}

export interface BatchPlan {
  /** Masks of one submit through the convolutions, if nothing is skipped. */
  readonly batch: number;
  /** Masks of one submit at most, however little work they are: what fits memory. */
  readonly most: number;
  /** Floating-point operations of one submit, and of one mask through the convolutions if nothing is skipped. */
  readonly flopPerSubmit: number;
  readonly flopPerMask: number;
  /** Masks whose pooled features are gathered before the fully connected layers run over all of them. */
  readonly block: number;
  /** Bytes of activations one mask needs at the widest point. */
  readonly bytesPerMask: number;
}

/**
 * Work of one submit, so that none keeps the GPU for long (browsers and Windows reset a GPU that is
 * busy for seconds): about a second on a software adapter at 4 GFLOP/s, and a third of a second on a
 * slow GPU at 1 TFLOP/s.
 */
const FLOP_PER_SUBMIT = { software: 4e9, gpu: 300e9 } as const;

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
  const scratch = features.map((step, i): number[] => {
    const masked = i === 0 && !passes.input;
    if (step.kind !== 'conv' || masked) return [];
    const shape = convShape(step.layer, step.pool);
    if (!choosesWinograd(shape, limits)) return [];
    return Object.values(winogradScratch(shape, 1));
  });
  const filters = features.map((step, i): number => {
    const remade = limits.convDtype === 'f16' && step.kind === 'conv' && scratch[i]?.length;
    return remade ? winogradFilterBytes(convShape(step.layer, step.pool)) : 0;
  });
  const largest = Math.max(own, ...features.map((step) => bytes(step.output)), ...scratch.flat());
  // While a step runs its input, output and scratch live.
  const bytesPerMask = Math.max(
    own,
    ...features.map((step, i) => {
      const before = features[i - 1];
      const taken = (scratch[i] as number[]).reduce((sum, size) => sum + size, 0);
      return bytes(step.output) + (before ? bytes(before.output) : own) + taken;
    }),
  );
  // However many masks there are, the filters of one layer at a time.
  const fixedBytes = Math.max(0, ...filters);
  const last = features.at(-1);
  const featureBytes = last ? bytes(last.output) : own;
  const headBytes = Math.max(featureBytes, ...head.map((step) => bytes(step.output)));
  // A quarter of the budget is for features and head, the rest for the activations of a batch.
  const fitting = Math.floor(
    Math.min(
      count,
      limits.maxBindingBytes / largest,
      (0.75 * limits.memoryBudget - fixedBytes) / bytesPerMask,
    ),
  );
  const flopPerMask = flopOf(features);
  const inTime = features.length > 0 ? Math.max(1, Math.floor(flop / flopPerMask)) : count;
  const batch = Math.min(fitting, inTime);
  const block = Math.floor(
    Math.min(
      count,
      limits.maxBindingBytes / headBytes,
      (0.25 * limits.memoryBudget) / (featureBytes + 2 * headBytes),
      head.length > 0 ? Math.max(1, flop / flopOf(head)) : count,
    ),
  );
  if (count > 0 && (batch < 1 || block < 1)) {
    const need = Math.ceil(
      Math.max((bytesPerMask + fixedBytes) / 0.75, (featureBytes + 2 * headBytes) / 0.25),
    );
    throw new ScoreCamError(
      'limit',
      `Network "${passes.name}" needs ${need} bytes for one masked pass with bindings of up to ` +
        `${Math.max(largest, headBytes)} bytes; the memory budget is ${limits.memoryBudget} bytes and ` +
        `the device binds up to ${limits.maxBindingBytes}. Raise memoryBudget or use a smaller network.`,
    );
  }
  // Whole batches fill a block, so that no block ends in a small batch.
  const fitted = Math.min(batch, block);
  return {
    batch: fitted,
    most: Math.min(fitting, block),
    block: fitted * Math.floor(block / Math.max(1, fitted)),
    bytesPerMask,
    flopPerSubmit: flop,
    flopPerMask,
  };
}

/**
 * Cuts masks first .. end - 1 into batches, of as many masks as fit memory and the work of one submit.
 * @param workOf floating-point operations of a mask, by its place in the run
 * @returns the size of each batch
 */
export function cutBatches(
  { most, flopPerSubmit }: Pick<BatchPlan, 'most' | 'flopPerSubmit'>,
  first: number,
  end: number,
  workOf: (at: number) => number,
): number[] {
  const sizes: number[] = [];
  let size = 0;
  let work = 0;
  for (let at = first; at < end; at++) {
    const own = workOf(at);
    if (size > 0 && (size === most || work + own > flopPerSubmit)) {
      sizes.push(size);
      size = 0;
      work = 0;
    }
    size++;
    work += own;
  }
  return size > 0 ? [...sizes, size] : sizes;
}

function flopOf(steps: readonly Step[]): number {
  return steps.reduce((sum, step) => sum + layerFlops(step.layer), 0);
}
