import type { Dispatch, Slice } from '../../gpu/kernel';
import { workgroupsFor } from '../../gpu/workgroups';
import type { ConvDtype } from '../../numbers/dtypes';
import { ceilDiv } from '../../numbers/padding';
import { family } from '../family';
import type { VARIANTS } from '../variants';
import type { ConvShape } from './conv_kernel';
import source from './turn_filters.wgsl';

const kernels = family<typeof VARIANTS.turn_filters>(source);

export interface TurnFiltersArgs {
  readonly label: string;
  /** Of the convolution on its way forward. */
  readonly shape: Pick<ConvShape, 'inChannels' | 'outChannels' | 'kernel'>;
  readonly dtype: ConvDtype;
  /** From `packConv`. */
  readonly weights: Slice;
  /** Packed in the same way, f32, {@link turnedBytes}. */
  readonly turned: Slice;
}

/** Bytes of the filters that lead back, in f32. */
export function turnedBytes({ inChannels, outChannels, kernel }: TurnFiltersArgs['shape']): number {
  return 4 * outChannels * kernel * kernel * 8 * ceilDiv(inChannels, 8);
}

/** Makes the filters of the convolution of `turnedShape` (shared/conv_shape.ts). */
export function turnFilters(args: TurnFiltersArgs): Dispatch {
  const { label, shape, dtype, weights, turned } = args;
  return {
    kernel: kernels.pick({ weights: dtype }),
    label,
    constants: {},
    params: {
      channels: shape.inChannels,
      out_channels: shape.outChannels,
      taps: shape.kernel * shape.kernel,
    },
    buffers: { weights, turned },
    workgroups: workgroupsFor(label, turnedBytes(shape) / 16, 64),
  };
}
