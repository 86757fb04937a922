import type { Dispatch } from '../../gpu/kernel';
import { workgroupsFor } from '../../gpu/workgroups';
import { activationConstants } from '../../numbers/activation';
import { ceilDiv } from '../../numbers/padding';
import { only } from '../family';
import source from './elementwise.wgsl';
import type { View } from './view';

const kernel = only(source);

interface Elementwise {
  readonly label: string;
  readonly channels: number;
  /** Height times width. */
  readonly plane: number;
  readonly batch: number;
  /** No value can be infinite or NaN, so that none need be looked at. Default false. */
  readonly isBounded?: boolean | undefined;
  /** By its code (numbers/activation.ts). */
  readonly activation: number;
  /** [batch, channels, plane] */
  readonly output: View;
}

/** @throws ScoreCamError `limit` */
function elementwise(join: 0 | 1 | 2, of: Elementwise, a: View, b: View, bPlane: number): Dispatch {
  const { label, channels, plane, batch, activation, output, isBounded } = of;
  return {
    kernel,
    label,
    constants: { JOIN: join, ...activationConstants(activation, isBounded) },
    params: {
      batch,
      channels,
      plane,
      a_first: a.first,
      a_of: a.of,
      b_first: b.first,
      b_of: b.of,
      b_plane: bPlane,
      out_first: output.first,
      out_of: output.of,
      activation,
    },
    buffers: { a: a.slice, b: b.slice, output: output.slice },
    workgroups: workgroupsFor(label, batch * channels * ceilDiv(plane, 4), 64),
  };
}

export interface AddArgs extends Elementwise {
  /** [batch, channels, plane] */
  readonly a: View;
  readonly b: View;
}

/** activation(a + b) */
export function add(args: AddArgs): Dispatch {
  return elementwise(1, args, args.a, args.b, args.plane);
}

export interface MultiplyArgs extends AddArgs {
  /** Whether b is [batch, channels, 1], a factor for each channel. */
  readonly gate: boolean;
}

/** activation(a b) */
export function multiply(args: MultiplyArgs): Dispatch {
  return elementwise(2, args, args.a, args.b, args.gate ? 1 : args.plane);
}

export interface ActivateArgs extends Elementwise {
  /** [batch, channels, plane] */
  readonly input: View;
}

/** activation(input): with none, a copy, as of what is to be part of a concatenation. */
export function activate(args: ActivateArgs): Dispatch {
  return elementwise(0, args, args.input, args.input, args.plane);
}
