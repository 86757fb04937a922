import type { Arena } from '../gpu/arena';
import type { Dispatch, Slice } from '../gpu/kernel';
import { applyMask } from '../kernels/inputs/apply_mask';
import { upsampleNormalise } from '../kernels/maps/upsample_normalise';
import type { Shape } from '../model/network';
import type { Masks } from './skipping';

/**
 * The image under mask `channels[mask]`, in memory, as the first convolution makes it in registers.
 * @param image [channels, height, width], normalised
 * @param arena keeps the output
 */
export function maskedImage(
  { channels, height, width }: Shape,
  image: Slice,
  masks: Masks,
  mask: number,
  arena: Arena,
): { output: Slice; dispatches: Dispatch[] } {
  const size = { label: 'mask', batch: 1, height, width };
  const made = arena.take('mask', 4 * height * width);
  const output = arena.take('masked image', 4 * channels * height * width);
  const dispatches = [
    upsampleNormalise({
      ...size,
      maps: masks.maps,
      mapHeight: masks.height,
      mapWidth: masks.width,
      ranges: masks.ranges,
      alignCorners: masks.alignCorners,
      channels: arena.upload('channels', masks.channels),
      firstMask: mask,
      masks: made,
    }),
    applyMask({ ...size, channels, image, masks: made, output }),
  ];
  return { output, dispatches };
}
