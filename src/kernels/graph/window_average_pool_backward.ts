import type { Dispatch, Slice } from '../../gpu/kernel';
import { workgroupsFor } from '../../gpu/workgroups';
import { only } from '../family';
import source from './window_average_pool_backward.wgsl';
import { windowParams } from './window_params';
import type { WindowShape } from './window_shape';

const kernel = only(source);

export interface WindowAveragePoolBackwardArgs {
  readonly label: string;
  readonly shape: WindowShape;
  /** Whether what was padded counted in the averages. */
  readonly countsPadding: boolean;
  readonly batch: number;
  /** [batch, inChannels, outHeight, outWidth] gradient with respect to the averages */
  readonly gradient: Slice;
  /** [batch, inChannels, height, width] gradient with respect to what they are of */
  readonly result: Slice;
}

/** Back through average pooling: every value of a window has the same share. */
export function windowAveragePoolBackward(args: WindowAveragePoolBackwardArgs): Dispatch {
  const { label, shape, countsPadding, gradient, result } = args;
  const planes = args.batch * shape.inChannels;
  return {
    kernel,
    label,
    constants: {},
    params: { planes, ...windowParams(shape), counts_padding: Number(countsPadding) },
    buffers: { gradient, result },
    workgroups: workgroupsFor(label, planes * shape.height * shape.width, 64),
  };
}
