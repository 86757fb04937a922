import type { Dispatch, Slice } from '../../gpu/kernel';
import { workgroupsFor } from '../../gpu/workgroups';
import { only } from '../family';
import source from './factor_backward.wgsl';

const kernel = only(source);

export interface FactorBackwardArgs {
  readonly label: string;
  readonly count: number;
  /** Values of the first factor for each of the second. */
  readonly share: number;
  /** [count / share] the second factor */
  readonly other: Slice;
  /** [count] gradient with respect to the product */
  readonly gradient: Slice;
  /** [count] gradient with respect to the first factor */
  readonly result: Slice;
}

/** Back through a product to its first factor. */
export function factorBackward(args: FactorBackwardArgs): Dispatch {
  const { label, count, share, other, gradient, result } = args;
  return {
    kernel,
    label,
    constants: {},
    params: { count, share },
    buffers: { other, gradient, result },
    workgroups: workgroupsFor(label, count, 64),
  };
}
