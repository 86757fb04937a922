import type { Dispatch, Slice } from '../../gpu/kernel';
import { workgroupsFor } from '../../gpu/workgroups';
import { only } from '../family';
import source from './window_max_pool_backward.wgsl';
import { windowParams } from './window_params';
import type { WindowShape } from './window_shape';

const kernel = only(source);

export interface WindowMaxPoolBackwardArgs {
  readonly label: string;
  readonly shape: WindowShape;
  readonly batch: number;
  /** [batch, inChannels, height, width] what was pooled */
  readonly input: Slice;
  /** [batch, inChannels, outHeight, outWidth] gradient with respect to the maxima */
  readonly gradient: Slice;
  /** [batch, inChannels, height, width] gradient with respect to the input */
  readonly result: Slice;
}

/** Back through max pooling: the first largest value of each window gets its gradient. */
export function windowMaxPoolBackward(args: WindowMaxPoolBackwardArgs): Dispatch {
  const { label, shape, input, gradient, result } = args;
  const planes = args.batch * shape.inChannels;
  return {
    kernel,
    label,
    constants: {},
    params: { planes, ...windowParams(shape) },
    buffers: { input, gradient, result },
    workgroups: workgroupsFor(label, planes * shape.height * shape.width, 64),
  };
}
