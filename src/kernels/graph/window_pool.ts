import type { Dispatch } from '../../gpu/kernel';
import { workgroupsFor } from '../../gpu/workgroups';
import { only } from '../family';
import type { View } from './view';
import source from './window_pool.wgsl';
import type { WindowShape } from './window_shape';

const kernel = only(source);

export interface WindowPoolArgs {
  readonly label: string;
  readonly of: 'max' | 'average';
  readonly shape: Omit<WindowShape, 'inChannels' | 'outChannels' | 'groups' | 'activation'> & {
    readonly channels: number;
  };
  /** Whether an average is over the whole window, what is padded too; it adds nothing. */
  readonly countsPadding: boolean;
  readonly batch: number;
  /** [batch, channels, height, width] */
  readonly input: View;
  /** [batch, channels, outHeight, outWidth] */
  readonly output: View;
}

/**
 * Largest or mean value of each window.
 * @throws ScoreCamError `limit`
 */
export function windowPool(args: WindowPoolArgs): Dispatch {
  const { label, of, shape, countsPadding, batch, input, output } = args;
  const outputs = batch * shape.channels * shape.outHeight * shape.outWidth;
  return {
    kernel,
    label,
    constants: { MEAN: of === 'average' ? 1 : 0 },
    params: {
      outputs,
      channels: shape.channels,
      height: shape.height,
      width: shape.width,
      out_height: shape.outHeight,
      out_width: shape.outWidth,
      kernel_height: shape.kernel[0],
      kernel_width: shape.kernel[1],
      stride_down: shape.stride[0],
      stride_across: shape.stride[1],
      top: shape.before[0],
      left: shape.before[1],
      counts_padding: countsPadding ? 1 : 0,
      in_first: input.first,
      in_of: input.of,
      out_first: output.first,
      out_of: output.of,
    },
    buffers: { input: input.slice, output: output.slice },
    workgroups: workgroupsFor(label, outputs, 64),
  };
}
