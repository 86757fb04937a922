import type { Slice } from '../../gpu/kernel';

/** What a first convolution reads where the mask is fused into it: one image, and the maps that a batch of masks is made of. */
export interface ImageUnderMasks {
  /** Mask m of the batch is made of map channels[firstMask + m]. */
  readonly firstMask: number;
  /** The normalised image, [inChannels, height, width]. */
  readonly image: Slice;
  /** Activation maps, [K, mapHeight, mapWidth]. */
  readonly maps: Slice;
  readonly mapHeight: number;
  readonly mapWidth: number;
  /** Smallest and largest value of each map after upsampling, [K, 2]. */
  readonly ranges: Slice;
  /** u32 map indices. */
  readonly channels: Slice;
  readonly alignCorners: boolean;
}
