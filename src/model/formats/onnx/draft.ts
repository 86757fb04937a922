import type { GraphActivation } from '../../graph/manifest';
import type { Shape } from '../../network';
import type { OnnxTensor } from './graph';

/** A layer while the graph is read: what it reads and does may still change. */
export interface Draft {
  /** Of the node that it comes from. */
  readonly name: string;
  type:
    | 'image'
    | 'conv'
    | 'scale'
    | 'linear'
    | 'maxpool'
    | 'avgpool'
    | 'globalavgpool'
    | 'add'
    | 'multiply'
    | 'concat'
    | 'activation';
  inputs: readonly Draft[];
  readonly shape: Shape;
  /** Whether nothing that the node gives can be below zero. */
  readonly isNeverNegative?: boolean;
  activation?: GraphActivation | undefined;
  /** Of convolutions and pools. */
  window?: DraftWindow | undefined;
  /** Of convolutions. */
  readonly groups?: number | undefined;
  /** Of pools. */
  readonly ceil?: boolean | undefined;
  readonly countPadding?: boolean | undefined;
  weight?: Weight | undefined;
  bias?: Weight | undefined;
  batchNorm?: DraftNorm | undefined;
}

/** Of a convolution, each way. */
export const LARGEST_KERNEL = 11;

export interface DraftWindow {
  readonly kernel: readonly [height: number, width: number];
  readonly stride: readonly [down: number, across: number];
  readonly padding: Sides;
}

/** Rows and columns added. */
export type Sides = readonly [top: number, left: number, bottom: number, right: number];

export interface DraftNorm {
  readonly scale: Weight;
  readonly shift: Weight;
  readonly mean: Weight;
  readonly variance: Weight;
  readonly epsilon: number;
}

/** Numbers of a layer: a tensor of the file, seen through reshaping and transposing, or what was computed from some. */
export type Weight = StoredWeight | ComputedWeight;

export interface StoredWeight {
  readonly kind: 'stored';
  readonly tensor: OnnxTensor;
  /** Sizes whose product is the tensor's, in the order in which it is stored. */
  readonly axes: readonly number[];
  /** Those of `axes` that make up each axis of what is seen. */
  readonly order: readonly (readonly number[])[];
}

export interface ComputedWeight {
  readonly kind: 'computed';
  readonly shape: readonly number[];
  readonly values: readonly number[];
  /** Whether they are of a type of integers, whose quotients are. */
  readonly isInteger: boolean;
}
