import type { Dispatch, Slice } from '../../gpu/kernel';
import { workgroupsFor } from '../../gpu/workgroups';
import { activationConstants } from '../../numbers/activation';
import type { ConvDtype } from '../../numbers/dtypes';
import { family } from '../family';
import type { VARIANTS } from '../variants';
import source from './window_conv_naive.wgsl';
import type { WindowShape } from './window_shape';

const kernels = family<typeof VARIANTS.window_conv_naive>(source);

export interface WindowConvNaiveArgs {
  readonly label: string;
  readonly shape: WindowShape;
  readonly dtype: ConvDtype;
  readonly batch: number;
  /** [batch, inChannels, height, width] */
  readonly input: Slice;
  /** From `packWindowConv`. */
  readonly weights: Slice;
  readonly bias: Slice;
  /** Whether they are packed for `depthwise`. */
  readonly isDepthwise: boolean;
  /** [batch, outChannels, outHeight, outWidth] */
  readonly output: Slice;
}

/** What `windowConv` and `depthwise` compute, as it is defined: one invocation an output. */
export function windowConvNaive(args: WindowConvNaiveArgs): Dispatch {
  const { label, shape, dtype, batch, input, weights, bias, isDepthwise, output } = args;
  const { groups, outChannels, outHeight, outWidth, kernel, stride, before, activation } = shape;
  const outputs = batch * outChannels * outHeight * outWidth;
  return {
    kernel: kernels.pick({ weights: dtype }),
    label,
    constants: { DEPTHWISE: Number(isDepthwise), ...activationConstants(activation) },
    params: {
      outputs,
      groups,
      in_channels: shape.inChannels / groups,
      out_channels: outChannels,
      height: shape.height,
      width: shape.width,
      out_height: outHeight,
      out_width: outWidth,
      kernel_height: kernel[0],
      kernel_width: kernel[1],
      stride_down: stride[0],
      stride_across: stride[1],
      top: before[0],
      left: before[1],
      activation,
    },
    buffers: { input, weights, bias, output },
    workgroups: workgroupsFor(label, outputs, 64),
  };
}
