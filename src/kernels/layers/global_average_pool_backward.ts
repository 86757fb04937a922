import type { Dispatch, Slice } from '../../gpu/kernel';
import { workgroupsFor } from '../../gpu/workgroups';
import { only } from '../family';
import source from './global_average_pool_backward.wgsl';

const kernel = only(source);

export interface GlobalAveragePoolBackwardArgs {
  readonly label: string;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly batch: number;
  /** [batch, channels] gradient with respect to the means */
  readonly gradient: Slice;
  /** [batch, channels, height, width] gradient with respect to what they are the means of */
  readonly result: Slice;
}

/** Back through the mean of each channel: every pixel has the same share. */
export function globalAveragePoolBackward(args: GlobalAveragePoolBackwardArgs): Dispatch {
  const planes = args.batch * args.channels;
  const pixels = args.height * args.width;
  return {
    kernel,
    label: args.label,
    constants: { PIXELS: pixels },
    params: { planes },
    buffers: { gradient: args.gradient, result: args.result },
    workgroups: workgroupsFor(args.label, planes * pixels, 64),
  };
}
