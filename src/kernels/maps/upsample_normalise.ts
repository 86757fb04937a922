import type { Dispatch, Slice } from '../../gpu/kernel';
import { workgroupsFor } from '../../gpu/workgroups';
import { only } from '../family';
import { type Interpolation, interpolationConstants } from '../shared/interpolation';
import source from './upsample_normalise.wgsl';

const kernel = only(source);

export interface UpsampleNormaliseArgs extends Interpolation {
  readonly label: string;
  /** Masks to make. */
  readonly batch: number;
  /** Mask m of the batch uses map channels[firstMask + m]. */
  readonly firstMask: number;
  /** [count, mapHeight, mapWidth] */
  readonly maps: Slice;
  /** [count] pairs (min, max) of the upsampled maps, see mapRanges */
  readonly ranges: Slice;
  /** u32 indices of maps */
  readonly channels: Slice;
  /** [batch, height, width], in [0, 1] */
  readonly masks: Slice;
}

/** Masks in [0, 1] from activation maps; a flat map becomes zeros. */
export function upsampleNormalise(args: UpsampleNormaliseArgs): Dispatch {
  return {
    kernel,
    label: args.label,
    constants: interpolationConstants(args),
    params: { batch: args.batch, first_mask: args.firstMask },
    buffers: {
      maps: args.maps,
      ranges: args.ranges,
      channels: args.channels,
      masks: args.masks,
    },
    workgroups: workgroupsFor(args.label, args.batch * args.height * args.width, 64),
  };
}
