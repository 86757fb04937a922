import type { DeviceFacts } from '../gpu/facts';
import { canMask, maskedTile } from '../kernels/convolution/conv';
import type { ConvShape } from '../kernels/convolution/conv_kernel';
import { type LinearTiling, rowStride, shardRows } from '../kernels/linear/linear';
import { turnedShape } from '../kernels/shared/conv_shape';
import type { Size } from '../kernels/shared/tile_grid';
import { filterBytes, filterLayout } from '../kernels/winograd/transformed';
import { WINOGRAD_TILE } from '../kernels/winograd/winograd';
import {
  type ConvLayer,
  IMAGE,
  type Layer,
  type LinearLayer,
  layerFlops,
  type Network,
  type PoolLayer,
  sizeOf,
  type WindowConvLayer,
} from '../model/network';
import { type ConvDtype, type Precision, WEIGHT_BYTES, type WeightDtype } from '../numbers/dtypes';
import { roundUp } from '../numbers/padding';
import {
  type ConvDevice,
  type ConvMethod,
  chooseConv,
  chooseConvTiling,
  listsTiles,
  sizesKey,
} from './conv_choice';
import { convDevice } from './device';
import { chooseLinearTiling } from './linear_choice';
import {
  type ConvStep,
  convShape,
  type Group,
  grouped,
  isSequential,
  type LinearStep,
  type PoolStep,
  type Step,
  type WindowConvStep,
} from './steps';
import type { Tuned } from './tuning-types';

export interface PlanOptions {
  /** Of the weights on the GPU. Default f32. */
  readonly dtype?: WeightDtype | undefined;
  /** Of what Winograd stores between its kernels. Default f32. */
  readonly precision?: Precision | undefined;
  /** What was measured on the device: plan/tuned.ts. */
  readonly tuned?: Tuned | undefined;
  /** Layers whose outputs are wanted: no pooling is fused into them. */
  readonly keep?: readonly string[] | undefined;
  /** For tests, benchmarks and studies: these choices instead of those made by shape, device and tuning. */
  readonly choose?: Choices | undefined;
  /** What networks need that are not sequential (runtime/graph/kit.ts). */
  readonly graph?: GraphPlanner | undefined;
}

/** Plans a graph: what there is of a sequential network is decided as there. */
export interface GraphPlanner {
  steps(network: Network, keep: ReadonlySet<string>, decide: Decisions): Step[];
}

/** What graphs and sequential networks have in common. */
export interface Decisions {
  readonly facts: DeviceFacts;
  readonly dtype: WeightDtype;
  conv(group: ConvGroup, tensors: Tensors, isFirst: boolean): ConvStep;
  linear(layer: LinearLayer, tensors: Tensors): LinearStep;
  pooling(layer: PlainPool, tensors: Tensors): PoolStep;
}

type PlainPool = PoolLayer<'maxpool'> | PoolLayer<'globalavgpool'>;

/** A convolution and what is fused into it. */
export interface ConvGroup {
  readonly layer: ConvLayer;
  readonly pool: Layer | undefined;
  /** Default: the layer's own. */
  readonly activation?: number | undefined;
  /** Of what is computed, in order. Default: the layer, and the pooling. */
  readonly layers?: readonly string[] | undefined;
}

export interface Choices {
  readonly conv?: (shape: ConvShape) => ConvMethod | undefined;
  readonly linear?: (layer: LinearLayer) => LinearTiling;
}

/**
 * How a network is computed on a device: everything that is decided about it, decided once. Immutable; weights,
 * batches, runner, skipping, backward pass and tuning read it, and none of them chooses again.
 */
export interface Plan {
  readonly network: Network;
  readonly facts: DeviceFacts;
  readonly options: PlanOptions;
  readonly dtype: WeightDtype;
  readonly precision: Precision;
  readonly steps: readonly Step[];
  /** The steps before the first fully connected layer, and those from it on. */
  readonly features: readonly Step[];
  readonly head: readonly Step[];
}

/**
 * A pure function: the same network, device, tuning and options give the same plan.
 * @throws ScoreCamError `limit` if a row of a fully connected layer exceeds what the device binds
 */
export function compile(network: Network, facts: DeviceFacts, options: PlanOptions = {}): Plan {
  const { dtype = 'f32', precision = 'f32' } = options;
  const compiler = new Compiler(network, facts, options, dtype, precision);
  const steps = compiler.steps();
  const first = steps.findIndex((step) => step.kind === 'linear');
  const cut = first < 0 ? steps.length : first;
  const [features, head] = [steps.slice(0, cut), steps.slice(cut)];
  return { network, facts, options, dtype, precision, steps, features, head };
}

/** The same plan with the outputs of some layers to be kept; weights are laid out alike. */
export function keeping(plan: Plan, keep: readonly string[]): Plan {
  return compile(plan.network, plan.facts, { ...plan.options, keep });
}

/** The step of a convolution, which has the layer's weights, whatever is fused into it. */
export function convStep<L extends ConvLayer | WindowConvLayer>(
  plan: Plan,
  layer: L,
): L extends ConvLayer ? ConvStep : ConvStep | WindowConvStep {
  return plan.steps.find((step) => step.layer.name === layer.name) as ConvStep;
}

/** The step of a fully connected layer. */
export function linearStep(plan: Plan, layer: LinearLayer): LinearStep {
  return plan.steps.find((step) => step.layer.name === layer.name) as LinearStep;
}

/** The distinct convolutions behind the first, which masks: what a tuning measures. */
export function tunableShapes(network: Network): ConvShape[] {
  const shapes = new Map<string, ConvShape>();
  for (const { layer, pool } of grouped(network, new Set()).slice(1)) {
    if (layer.type !== 'conv') continue;
    const shape = convShape(layer, pool !== undefined);
    if (!shapes.has(sizesKey(shape))) shapes.set(sizesKey(shape), shape);
  }
  return [...shapes.values()];
}

/** Decides about each step. */
class Compiler implements Decisions {
  readonly facts: DeviceFacts;
  readonly dtype: WeightDtype;
  private readonly network: Network;
  private readonly options: PlanOptions;
  private readonly device: ConvDevice;

  constructor(
    network: Network,
    facts: DeviceFacts,
    options: PlanOptions,
    dtype: WeightDtype,
    precision: Precision,
  ) {
    this.network = network;
    this.facts = facts;
    this.options = options;
    this.dtype = dtype;
    this.device = convDevice(facts, precision);
  }

  steps(): Step[] {
    const keep = new Set(this.options.keep ?? []);
    const { graph } = this.options;
    if (graph) return graph.steps(this.network, keep, this);
    if (!isSequential(this.network)) throw new Error('A graph needs its planner.');
    const groups = grouped(this.network, keep);
    return groups.map((group, i) => {
      const before = groups[i - 1];
      const input = before ? nameOf(before) : IMAGE;
      // In a chain a tensor is read once: here for the last time, unless it is to be kept.
      const last = keep.has(input) || !before ? [] : [input];
      const tensors = { inputs: [input], last };
      const { layer } = group;
      if (layer.type === 'conv') return this.conv(group as ConvGroup, tensors, i === 0);
      if (layer.type === 'linear') return this.linear(layer, tensors);
      return this.pooling(layer as PlainPool, tensors);
    });
  }

  conv(group: ConvGroup, tensors: Tensors, isFirst: boolean): ConvStep {
    const { layer, pool } = group;
    const { activation, layers = pool ? [layer.name, pool.name] : [layer.name] } = group;
    const shape = convShape(layer, pool !== undefined, activation);
    const method = this.method(shape);
    const dtype: ConvDtype = this.dtype === 'f32' ? 'f32' : 'f16';
    const kept = method.kind !== 'direct' && dtype === 'f32' ? method : undefined;
    const packed = roundUp(shape.outChannels, 8) * (shape.inChannels * shape.kernel ** 2);
    const filters = kept ? filterBytes(shape, kept) : 0;
    const back = turnedShape(shape);
    const output = (pool ?? layer).output;
    return {
      kind: 'conv',
      name: layers.at(-1) as string,
      layers,
      ...tensors,
      output,
      flop: layerFlops(layer),
      bytes: {
        weights: WEIGHT_BYTES[dtype] * packed + 4 * roundUp(shape.outChannels, 8) + filters,
        output: 4 * sizeOf(output),
      },
      layer,
      shape,
      method,
      layout: { dtype, transformed: kept && filterLayout(kept) },
      tile: listsTiles(method) ? WINOGRAD_TILE : undefined,
      back: { shape: back, method: this.method(back) },
      masked: isFirst ? this.masked(shape, method) : undefined,
    };
  }

  private method(shape: ConvShape): ConvMethod {
    const { choose, tuned } = this.options;
    return (
      choose?.conv?.(shape) ?? tuned?.methods.get(sizesKey(shape)) ?? chooseConv(shape, this.device)
    );
  }

  /** The mask is fused into a direct convolution, unless the layer is computed by one kernel that takes it, too. */
  private masked(shape: ConvShape, method: ConvMethod): ConvStep['masked'] {
    if (method.kind === 'fused') return { tiling: method, tile: WINOGRAD_TILE };
    const own = method.kind === 'direct' && canMask(method.tiling) ? method.tiling : undefined;
    const tiling = own ?? chooseConvTiling(this.device);
    return { tiling, tile: maskedTile(tiling, shape) as Size };
  }

  linear(layer: LinearLayer, tensors: Tensors): LinearStep {
    const { dtype, device, facts } = this;
    const inFeatures = sizeOf(layer.input);
    const outFeatures = layer.output.channels;
    const most = Math.min(facts.maxStorageBufferBindingSize, facts.maxBufferSize);
    return {
      kind: 'linear',
      name: layer.name,
      layers: [layer.name],
      ...tensors,
      output: layer.output,
      flop: layerFlops(layer),
      bytes: {
        weights: outFeatures * (WEIGHT_BYTES[dtype] * rowStride(inFeatures) + 8),
        output: 4 * outFeatures,
      },
      layer,
      tiling: this.options.choose?.linear?.(layer) ?? chooseLinearTiling(device),
      quads: device.quads,
      maxInvocations: device.maxInvocations,
      layout: { dtype, shards: shardRows(inFeatures, outFeatures, most, dtype) },
    };
  }

  pooling(layer: PlainPool, tensors: Tensors): PoolStep {
    return {
      kind: layer.type,
      name: layer.name,
      layers: [layer.name],
      ...tensors,
      output: layer.output,
      flop: layerFlops(layer),
      bytes: { weights: 0, output: 4 * sizeOf(layer.output) },
      layer,
    };
  }
}

/** What a step reads, leaves, and reads for the last time. */
export type Tensors = Pick<Step, 'inputs' | 'ranges' | 'last' | 'home'>;

function nameOf({ layer, pool }: Group): string {
  return (pool ?? layer).name;
}
