import type { Dispatch } from '../../gpu/kernel';
import { workgroupsFor } from '../../gpu/workgroups';
import { family } from '../family';
import type { VARIANTS } from '../variants';
import source from './depthwise_backward.wgsl';
import type { WindowConvBackwardArgs } from './window_conv_backward';
import { windowParams } from './window_params';

const kernels = family<typeof VARIANTS.depthwise_backward>(source);

/** Back through a convolution of one group a channel, whose weights are packed for `depthwise`. */
export function depthwiseBackward(args: WindowConvBackwardArgs): Dispatch {
  const { label, shape, dtype, weights, gradient, result } = args;
  const { inChannels: channels, outChannels } = shape;
  const planes = args.batch * channels;
  return {
    kernel: kernels.pick({ weights: dtype }),
    label,
    constants: {},
    params: { planes, channels, multiplier: outChannels / channels, ...windowParams(shape) },
    buffers: { weights, gradient, result },
    workgroups: workgroupsFor(label, planes * shape.height * shape.width, 64),
  };
}
