import type { Dispatch, Slice } from '../../gpu/kernel';
import { only } from '../family';
import source from './adam.wgsl';

const kernel = only(source);

export interface AdamArgs {
  readonly label: string;
  readonly count: number;
  readonly rate: number;
  /** [count], the softmax of `values` */
  readonly weights: Slice;
  /** [count] of the weights */
  readonly gradient: Slice;
  /** [count + 1] pairs: moments, 0 at first, and last the powers of their decays, 1 at first */
  readonly state: Slice;
  /** [count], changed */
  readonly values: Slice;
}

/** One step of Adam uphill, for values whose softmax is what the gradient is of. */
export function adam(args: AdamArgs): Dispatch {
  const { label, count, rate, weights, gradient, state, values } = args;
  return {
    kernel,
    label,
    constants: { RATE: rate },
    params: { count },
    buffers: { weights, gradient, state, values },
    workgroups: [1, 1, 1],
  };
}
