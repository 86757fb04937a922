import type { Dispatch, Slice } from '../../gpu/kernel';
import { ceilDiv } from '../../numbers/padding';
import { only } from '../family';
import source from './softmax.wgsl';

export const softmaxKernel = only(source);

export interface SoftmaxArgs {
  readonly label: string;
  /** [rows, classes] */
  readonly logits: Slice;
  /** [rows, classes] */
  readonly probabilities: Slice;
  readonly rows: number;
  readonly classes: number;
}

/** Softmax over each row of a [rows, classes] matrix. */
export function softmax(args: SoftmaxArgs): Dispatch {
  return {
    kernel: softmaxKernel,
    label: args.label,
    constants: { CLASSES: args.classes },
    params: { rows: args.rows },
    buffers: { logits: args.logits, probabilities: args.probabilities },
    workgroups: [ceilDiv(args.rows, 64), 1, 1],
  };
}
