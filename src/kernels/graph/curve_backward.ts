import type { Dispatch, Slice } from '../../gpu/kernel';
import { workgroupsFor } from '../../gpu/workgroups';
import { only } from '../family';
import source from './curve_backward.wgsl';

const kernel = only(source);

export interface CurveBackwardArgs {
  readonly label: string;
  readonly count: number;
  /** By its code (numbers/activation.ts): one that is not known by what it gave. */
  readonly activation: number;
  /** [count] what went into the activation */
  readonly before: Slice;
  /** [count] gradient with respect to what it gave */
  readonly gradient: Slice;
  /** [count] gradient with respect to `before` */
  readonly result: Slice;
}

/** Back through hard swish, SiLU, sigmoid or hard sigmoid. */
export function curveBackward(args: CurveBackwardArgs): Dispatch {
  const { label, count, activation, before, gradient, result } = args;
  return {
    kernel,
    label,
    constants: {},
    params: { count, activation },
    buffers: { before, gradient, result },
    workgroups: workgroupsFor(label, count, 64),
  };
}
