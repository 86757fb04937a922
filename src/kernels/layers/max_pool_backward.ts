import type { Dispatch, Slice } from '../../gpu/kernel';
import { workgroupsFor } from '../../gpu/workgroups';
import { ceilDiv } from '../../numbers/padding';
import { only } from '../family';
import source from './max_pool_backward.wgsl';

const kernel = only(source);

export interface MaxPoolBackwardArgs {
  readonly label: string;
  readonly channels: number;
  /** Of the input; what was pooled is half as high and wide, rounded down. */
  readonly height: number;
  readonly width: number;
  readonly batch: number;
  /** [batch, channels, height, width] what was pooled */
  readonly input: Slice;
  /** [batch, channels, floor(height / 2), floor(width / 2)] gradient with respect to the maxima */
  readonly gradient: Slice;
  /** [batch, channels, height, width] gradient with respect to the input */
  readonly result: Slice;
}

/** Back through 2 x 2 max pooling: the first largest value of each window gets the gradient. */
export function maxPoolBackward(args: MaxPoolBackwardArgs): Dispatch {
  const { label, height, width, input, gradient, result } = args;
  const planes = args.batch * args.channels;
  return {
    kernel,
    label,
    constants: { HEIGHT: height, WIDTH: width },
    params: { planes },
    buffers: { input, gradient, result },
    workgroups: workgroupsFor(label, planes * ceilDiv(height, 2) * ceilDiv(width, 2), 64),
  };
}
