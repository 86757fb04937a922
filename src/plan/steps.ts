import type { MaskedTiling } from '../kernels/convolution/conv';
import type { ConvShape } from '../kernels/convolution/conv_kernel';
import type { WindowTiling } from '../kernels/graph/window_conv';
import type { LinearTiling } from '../kernels/linear/linear';
import type { Size } from '../kernels/shared/tile_grid';
import type { FusedMethod } from '../kernels/winograd/winograd_fused';
import {
  type ConvLayer,
  IMAGE,
  type JoinLayer,
  type Layer,
  type LinearLayer,
  type Network,
  type PoolLayer,
  type Shape,
  type WindowConvLayer,
  type WindowPoolLayer,
} from '../model/network';
import type { ConvDtype, WeightDtype } from '../numbers/dtypes';
import type { ConvMethod } from './conv_choice';

/*
 * One step: a layer, or a convolution with the pooling behind it, and all that is decided about it. Tensors have
 * names: a step's output is called like the step, the network's input is called IMAGE. A step says which it reads and
 * which nobody reads any more, so that what executes steps knows nothing of the order of layers.
 */

/** Channels first .. first + count - 1 of the `of` channels that a tensor has. */
export interface Range {
  readonly first: number;
  readonly of: number;
}

/** Where a step's output stands, if it is a part of a concatenation. */
export interface Home extends Range {
  readonly tensor: string;
  /** Of one image's whole tensor. */
  readonly bytes: number;
}

/** What the values of a layer are called before its activation, where somebody wants them, or their gradient. */
export function beforeActivation(name: string): string {
  return `${name} before its activation`;
}

interface StepBase {
  /** Of the last layer it computes, and of the tensor it leaves. */
  readonly name: string;
  /** The layers it computes. */
  readonly layers: readonly string[];
  /** The tensors it reads. */
  readonly inputs: readonly string[];
  /** Which part of each, where that is not the whole. */
  readonly ranges?: readonly (Range | undefined)[] | undefined;
  readonly home?: Home | undefined;
  /** The tensors that nobody reads after it. */
  readonly last: readonly string[];
  /** Of one image's output tensor. */
  readonly output: Shape;
  /** Floating-point operations of one image. */
  readonly flop: number;
  /** Bytes of its weights on the GPU, and of one image's output. */
  readonly bytes: { readonly weights: number; readonly output: number };
}

/**
 * What stands on the GPU for a convolution's weights. Always packed (kernels/convolution/pack.ts) in `dtype`; and, if
 * `transformed` is set, transformed for Winograd as well, as `filterLayout` says. Filters of f16 weights are
 * transformed anew at each use, or the model would stand in memory in f32 after all.
 */
export interface ConvLayout {
  readonly dtype: ConvDtype;
  readonly transformed: string | undefined;
}

export interface ConvStep extends StepBase {
  readonly kind: 'conv';
  readonly layer: ConvLayer;
  readonly shape: ConvShape;
  readonly method: ConvMethod;
  readonly layout: ConvLayout;
  /** Tiles that can be listed, so that only some of them are computed; undefined where there are none. */
  readonly tile: Size | undefined;
  /** The convolution that leads back from the output's gradient to the input's. */
  readonly back: { readonly shape: ConvShape; readonly method: ConvMethod };
  /** Of the network's first convolution, which can have the mask fused in: how, and the tiles that can be listed. */
  readonly masked: { readonly tiling: MaskedTiling | FusedMethod; readonly tile: Size } | undefined;
}

/** Any other convolution than a plain one; a second input is added to the sum. */
export interface WindowConvStep extends StepBase {
  readonly kind: 'windowconv';
  readonly layer: WindowConvLayer;
  readonly activation: number;
  readonly tiling: WindowTiling | 'depthwise';
  /** Of the tiling `quads`: how many a subgroup is. */
  readonly quads: number | undefined;
  readonly layout: ConvLayout;
}

export interface WindowPoolStep extends StepBase {
  readonly kind: 'windowpool';
  readonly layer: WindowPoolLayer;
}

/** An input, its channels, and where they belong among those of the concatenation's tensor. */
export interface Copied {
  readonly input: number;
  readonly channels: number;
  readonly first: number;
}

export interface JoinStep extends StepBase {
  readonly kind: JoinLayer['type'];
  readonly layer: JoinLayer;
  readonly activation: number;
  /** Of a concatenation: which of its inputs do not stand in it already. */
  readonly copies?: readonly Copied[] | undefined;
}

export interface PoolStep extends StepBase {
  readonly kind: 'maxpool' | 'globalavgpool';
  readonly layer: PoolLayer<'maxpool'> | PoolLayer<'globalavgpool'>;
}

/** Weights as row shards (kernels/linear/linear.ts), each small enough for a binding of the plan's device. */
export interface LinearLayout {
  readonly dtype: WeightDtype;
  readonly shards: readonly { readonly firstOutput: number; readonly outputs: number }[];
}

export interface LinearStep extends StepBase {
  readonly kind: 'linear';
  readonly layer: LinearLayer;
  readonly tiling: LinearTiling;
  /** Of the tiling `quads`: how many a subgroup is. */
  readonly quads: number | undefined;
  /** Of a workgroup. */
  readonly maxInvocations: number | undefined;
  readonly layout: LinearLayout;
}

/** Steps that only graphs have: what they bring along records them (runtime/graph-kit.ts). */
export type GraphStep = WindowConvStep | WindowPoolStep | JoinStep;

export type Step = ConvStep | PoolStep | LinearStep | GraphStep;

/** Two layouts in words: weights packed for one can be read by a step that expects the same, and by no other. */
export function layoutName(layout: ConvLayout | LinearLayout): string {
  if ('shards' in layout) {
    return `${layout.dtype} in rows ${layout.shards.map(({ firstOutput }) => firstOutput).join(', ')}`;
  }
  const { dtype, transformed } = layout;
  return transformed ? `${dtype}, transformed for ${transformed}` : `${dtype}`;
}

/** A layer of a network, or two of them, that one step computes. */
export type Group =
  | { readonly layer: ConvLayer; readonly pool: Layer | undefined }
  | { readonly layer: Exclude<Layer, ConvLayer>; readonly pool: undefined };

/** Whether layers follow one another, each of a kind that sequential networks have. */
export function isSequential({ layers }: Network): boolean {
  return layers.every(
    ({ type, inputs: [input] }, i) =>
      SEQUENTIAL.has(type) && input === (layers[i - 1]?.name ?? IMAGE),
  );
}

const SEQUENTIAL: ReadonlySet<Layer['type']> = new Set([
  'conv',
  'maxpool',
  'globalavgpool',
  'linear',
]);

/** The layers by steps: a pooling goes into the convolution before it, unless that one's own output is to be kept. */
export function grouped({ layers }: Network, keep: ReadonlySet<string>): Group[] {
  const groups: Group[] = [];
  for (let i = 0; i < layers.length; i++) {
    const layer = layers[i] as Layer;
    if (layer.type !== 'conv') {
      groups.push({ layer, pool: undefined });
      continue;
    }
    const next = layers[i + 1];
    const isPooled = next?.type === 'maxpool' && next.inputs[0] === layer.name;
    const pool = isPooled && !keep.has(layer.name) ? next : undefined;
    groups.push({ layer, pool });
    if (pool) i++;
  }
  return groups;
}

/** The kernel's view of a convolution layer. */
export function convShape(
  layer: ConvLayer,
  pool: boolean,
  activation = layer.activation,
): ConvShape {
  return {
    inChannels: layer.input.channels,
    outChannels: layer.output.channels,
    height: layer.input.height,
    width: layer.input.width,
    kernel: layer.kernel,
    activation,
    pool,
  };
}
