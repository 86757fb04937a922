import type { Dispatch, Slice } from '../../gpu/kernel';
import { workgroupsFor } from '../../gpu/workgroups';
import { only } from '../family';
import source from './gate_backward.wgsl';

const kernel = only(source);

export interface GateBackwardArgs {
  readonly label: string;
  readonly count: number;
  /** Values of the first factor for each of the second. */
  readonly share: number;
  /** [count share] the first factor */
  readonly other: Slice;
  /** [count share] gradient with respect to the product */
  readonly gradient: Slice;
  /** [count] gradient with respect to the second factor */
  readonly result: Slice;
}

/** Back through a product to its second factor, of which one value may be for a whole plane. */
export function gateBackward(args: GateBackwardArgs): Dispatch {
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
