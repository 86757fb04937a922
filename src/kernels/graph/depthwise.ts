import type { Dispatch, Slice } from '../../gpu/kernel';
import { workgroupsFor } from '../../gpu/workgroups';
import { activationConstants } from '../../numbers/activation';
import type { ConvDtype } from '../../numbers/dtypes';
import { ceilDiv } from '../../numbers/padding';
import { family } from '../family';
import type { VARIANTS } from '../variants';
import source from './depthwise.wgsl';
import type { View } from './view';
import type { WindowShape } from './window_shape';

const kernels = family<typeof VARIANTS.depthwise>(source);

export interface DepthwiseArgs {
  readonly label: string;
  /** As many groups as inChannels. */
  readonly shape: WindowShape;
  /** Of the weights; the bias is f32. */
  readonly dtype: ConvDtype;
  readonly batch: number;
  /** [batch, inChannels, height, width] */
  readonly input: View;
  /** From `packWindowConv`. */
  readonly weights: Slice;
  readonly bias: Slice;
  /** [batch, outChannels, outHeight, outWidth] */
  readonly output: View;
  /** As the output: added before the activation. */
  readonly added?: View | undefined;
  /** No sum can be infinite or NaN, so that none need be looked at. Default false. */
  readonly isBounded?: boolean | undefined;
}

/**
 * A filter for each channel, bias, an addition and activation of a batch of tensors; with a window of 1 x 1, a factor and
 * a shift.
 * @throws ScoreCamError `limit`
 */
export function depthwise(args: DepthwiseArgs): Dispatch {
  const { label, shape, dtype, batch, input, weights, bias, output, added } = args;
  const { inChannels, outChannels, outHeight, outWidth } = shape;
  const [[kernelHeight, kernelWidth], [down, across]] = [shape.kernel, shape.stride];
  const isThree = kernelHeight === 3 && kernelWidth === 3 && down === across && down <= 2;
  const patches = batch * outChannels * ceilDiv(outHeight, 4) * ceilDiv(outWidth, 4);
  return {
    kernel: kernels.pick({ ends: added ? 'added' : 'plain', weights: dtype }),
    label,
    constants: {
      THREE: isThree ? 1 : 0,
      STRIDE_ACROSS: across,
      ...activationConstants(shape.activation, args.isBounded),
    },
    params: {
      batch,
      channels: outChannels,
      multiple: outChannels / inChannels,
      height: shape.height,
      width: shape.width,
      out_height: outHeight,
      out_width: outWidth,
      kernel_height: kernelHeight,
      kernel_width: kernelWidth,
      stride_down: down,
      top: shape.before[0],
      left: shape.before[1],
      in_first: input.first,
      in_of: input.of,
      out_first: output.first,
      out_of: output.of,
      activation: shape.activation,
      ...(added && { added_first: added.first, added_of: added.of }),
    },
    buffers: {
      input: input.slice,
      weights,
      bias,
      output: output.slice,
      ...(added && { added: added.slice }),
    },
    workgroups: workgroupsFor(label, patches, 64),
  };
}
