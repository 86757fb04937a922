import { type Dispatch, defineKernel, type Slice } from '../../gpu/kernel';
import { ceilDiv } from '../../numbers/padding';
import code from './softmax.wgsl?raw';

export const softmaxKernel = defineKernel({
  name: 'softmax',
  code,
  params: [{ name: 'rows', type: 'u32' }],
  storage: [
    { name: 'logits', access: 'read' },
    { name: 'probabilities', access: 'read_write' },
  ],
  overrides: ['CLASSES'],
});

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
