import { type Dispatch, defineKernel, type Slice } from '../../gpu/kernel';
import { gridOf } from '../../gpu/workgroups';
import code from './global_average_pool_backward.wgsl?raw';

export const globalAveragePoolBackwardKernel = defineKernel({
  name: 'global_average_pool_backward',
  code,
  params: [{ name: 'planes', type: 'u32' }],
  storage: [
    { name: 'gradient', access: 'read' },
    { name: 'result', access: 'read_write' },
  ],
  overrides: ['PIXELS'],
});

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
    kernel: globalAveragePoolBackwardKernel,
    label: args.label,
    constants: { PIXELS: pixels },
    params: { planes },
    buffers: { gradient: args.gradient, result: args.result },
    workgroups: gridOf(args.label, planes * pixels, 64),
  };
}
