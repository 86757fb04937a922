import type { Dispatch, Slice } from '../../gpu/kernel';
import { checkedWorkgroups } from '../../gpu/workgroups';
import { ceilDiv } from '../../numbers/padding';
import { only } from '../family';
import source from './largest_magnitude.wgsl';

const kernel = only(source);

/** Values of an invocation: where there are many, atomics are few. */
const EACH = 64;

export interface LargestMagnitudeArgs {
  readonly label: string;
  readonly values: Slice;
  /** Values first .. first + count - 1 are looked at. */
  readonly first: number;
  readonly count: number;
  /** f32, of which `slot` is raised: at the start 0, or what else is a magnitude. */
  readonly slots: Slice;
  readonly slot: number;
}

/** The largest magnitude of some values; NaN, or else infinity, where one of them is. */
export function largestMagnitude(args: LargestMagnitudeArgs): Dispatch {
  const { label, values, first, count, slots, slot } = args;
  return {
    kernel,
    label,
    constants: {},
    params: { first, count, slot },
    buffers: { values, slots },
    workgroups: checkedWorkgroups(label, [ceilDiv(count, 64 * EACH), 1, 1]),
  };
}
