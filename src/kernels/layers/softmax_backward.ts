import { type Dispatch, defineKernel, type Slice } from '../../gpu/kernel';
import { gridOf } from '../../gpu/workgroups';
import code from './softmax_backward.wgsl?raw';

export const softmaxBackwardKernel = defineKernel({
  name: 'softmax_backward',
  code,
  params: [
    { name: 'rows', type: 'u32' },
    { name: 'class_index', type: 'u32' },
  ],
  storage: [
    { name: 'probabilities', access: 'read' },
    { name: 'result', access: 'read_write' },
  ],
  overrides: ['CLASSES'],
});

export interface SoftmaxBackwardArgs {
  readonly label: string;
  readonly rows: number;
  readonly classes: number;
  readonly classIndex: number;
  /** [rows, classes] */
  readonly probabilities: Slice;
  /** [rows, classes] gradient of the class's probability with respect to the logits */
  readonly result: Slice;
}

/** Back from one class's probability to the logits. */
export function softmaxBackward(args: SoftmaxBackwardArgs): Dispatch {
  const { label, rows, classes, classIndex, probabilities, result } = args;
  return {
    kernel: softmaxBackwardKernel,
    label,
    constants: { CLASSES: classes },
    params: { rows, class_index: classIndex },
    buffers: { probabilities, result },
    workgroups: gridOf(label, rows * classes, 64),
  };
}
