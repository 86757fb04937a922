import type { Dispatch, Slice } from '../../gpu/kernel';
import { factorBackward } from './factor_backward';
import { gateBackward } from './gate_backward';

export interface MultiplyBackwardArgs {
  readonly label: string;
  /** Of the first factor. */
  readonly count: number;
  /** Values of the first factor for each of the second: the pixels of a plane, or 1. */
  readonly share: number;
  /** [count] */
  readonly first: Slice;
  /** [count / share] */
  readonly second: Slice;
  /** [count] gradient with respect to the product */
  readonly gradient: Slice;
  /** [count] gradient with respect to the first factor */
  readonly toFirst: Slice;
  /** [count / share] gradient with respect to the second */
  readonly toSecond: Slice;
}

/** Back through a product to both factors. */
export function multiplyBackward(args: MultiplyBackwardArgs): Dispatch[] {
  const { label, count, share, first, second, gradient, toFirst, toSecond } = args;
  return [
    factorBackward({ label, count, share, other: second, gradient, result: toFirst }),
    gateBackward({ label, count: count / share, share, other: first, gradient, result: toSecond }),
  ];
}
