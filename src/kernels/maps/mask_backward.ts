import type { Dispatch, Slice } from '../../gpu/kernel';
import { only } from '../family';
import source from './mask_backward.wgsl';

const kernel = only(source);

export interface MaskBackwardArgs {
  readonly label: string;
  readonly channels: number;
  readonly pixels: number;
  /** [channels, pixels] of the masked image */
  readonly gradient: Slice;
  /** [channels, pixels] */
  readonly image: Slice;
  /** [pixels], the upsampled map */
  readonly full: Slice;
  /** [pixels], the same normalised */
  readonly mask: Slice;
  /** A pair (min, max) of `full`. */
  readonly range: Slice;
  /** [pixels] of `full` */
  readonly result: Slice;
}

/** Back from an image under one mask to the map that the mask is, min-max normalised. */
export function maskBackward(args: MaskBackwardArgs): Dispatch {
  const { label, channels, pixels, gradient, image, full, mask, range, result } = args;
  return {
    kernel,
    label,
    constants: { CHANNELS: channels, PIXELS: pixels },
    params: {},
    buffers: { gradient, image, full, mask, range, result },
    workgroups: [1, 1, 1],
  };
}
