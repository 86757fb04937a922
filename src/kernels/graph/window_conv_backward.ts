import type { Dispatch, Slice } from '../../gpu/kernel';
import { workgroupsFor } from '../../gpu/workgroups';
import type { ConvDtype } from '../../numbers/dtypes';
import { ceilDiv } from '../../numbers/padding';
import { family } from '../family';
import type { VARIANTS } from '../variants';
import source from './window_conv_backward.wgsl';
import { windowParams } from './window_params';
import type { WindowShape } from './window_shape';

const kernels = family<typeof VARIANTS.window_conv_backward>(source);

export interface WindowConvBackwardArgs {
  readonly label: string;
  /** Of the way forward; its activation is not this kernel's concern. */
  readonly shape: WindowShape;
  /** Of the weights. */
  readonly dtype: ConvDtype;
  readonly batch: number;
  /** From `packWindowConv`. */
  readonly weights: Slice;
  /** [batch, outChannels, outHeight, outWidth] gradient with respect to the sums */
  readonly gradient: Slice;
  /** [batch, inChannels, height, width] gradient with respect to the input */
  readonly result: Slice;
}

/** Back through a convolution of any windows and groups but depthwise ones. */
export function windowConvBackward(args: WindowConvBackwardArgs): Dispatch {
  const { label, shape, dtype, batch, weights, gradient, result } = args;
  const { groups, height, width, stride } = shape;
  const each = shape.inChannels / groups;
  const runs = stride[1] * ceilDiv(ceilDiv(width, stride[1]), 4);
  return {
    kernel: kernels.pick({ weights: dtype }),
    label,
    constants: {},
    params: {
      batch,
      groups,
      in_channels: each,
      out_channels: shape.outChannels / groups,
      ...windowParams(shape),
    },
    buffers: { weights, gradient, result },
    workgroups: workgroupsFor(label, batch * groups * ceilDiv(each, 4) * height * runs, 64),
  };
}
