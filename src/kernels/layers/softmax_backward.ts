import type { Dispatch, Slice } from '../../gpu/kernel';
import { workgroupsFor } from '../../gpu/workgroups';
import { only } from '../family';
import source from './softmax_backward.wgsl';

const kernel = only(source);

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
    kernel,
    label,
    constants: { CLASSES: classes },
    params: { rows, class_index: classIndex },
    buffers: { probabilities, result },
    workgroups: workgroupsFor(label, rows * classes, 64),
  };
}
