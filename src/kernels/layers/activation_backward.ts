import type { Dispatch, Slice } from '../../gpu/kernel';
import { workgroupsFor } from '../../gpu/workgroups';
import { only } from '../family';
import source from './activation_backward.wgsl';

const kernel = only(source);

export interface ActivationBackwardArgs {
  readonly label: string;
  readonly count: number;
  /** From 0 to 1: the activation is max(x, 0) + slope min(x, 0). */
  readonly slope: number;
  /** [count] what the activation gave */
  readonly activated: Slice;
  /** [count] gradient with respect to `activated` */
  readonly gradient: Slice;
  /** [count] gradient with respect to what went into the activation */
  readonly result: Slice;
}

/** Back through max(x, 0) + slope min(x, 0). */
export function activationBackward(args: ActivationBackwardArgs): Dispatch {
  const { label, count, slope, activated, gradient, result } = args;
  return {
    kernel,
    label,
    constants: {},
    params: { count, slope },
    buffers: { activated, gradient, result },
    workgroups: workgroupsFor(label, count, 64),
  };
}
