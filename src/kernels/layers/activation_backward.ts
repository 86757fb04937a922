import type { Dispatch, Slice } from '../../gpu/kernel';
import { workgroupsFor } from '../../gpu/workgroups';
import { only } from '../family';
import source from './activation_backward.wgsl';

const kernel = only(source);

export interface ActivationBackwardArgs {
  readonly label: string;
  readonly count: number;
  /** By its code (numbers/activation.ts), above -1e4: one that is known by what it gave. */
  readonly activation: number;
  /** [count] what the activation gave */
  readonly activated: Slice;
  /** [count] gradient with respect to `activated` */
  readonly gradient: Slice;
  /** [count] gradient with respect to what went into the activation */
  readonly result: Slice;
}

/** Back through an activation. */
export function activationBackward(args: ActivationBackwardArgs): Dispatch {
  const { label, count, activation, activated, gradient, result } = args;
  return {
    kernel,
    label,
    constants: {},
    params: { count, activation },
    buffers: { activated, gradient, result },
    workgroups: workgroupsFor(label, count, 64),
  };
}
