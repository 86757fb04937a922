import { type Dispatch, defineKernel, type Slice } from '../../gpu/kernel';
import { gridOf } from '../../gpu/workgroups';
import {
  type Interpolation,
  interpolationCode,
  interpolationConstants,
  interpolationOverrides,
} from '../shared/interpolation';
import code from './upsample_normalise.wgsl?raw';

export const upsampleNormaliseKernel = defineKernel({
  name: 'upsample_normalise',
  code: interpolationCode + code,
  params: [
    { name: 'batch', type: 'u32' },
    { name: 'first_mask', type: 'u32' },
  ],
  storage: [
    { name: 'maps', access: 'read' },
    { name: 'ranges', access: 'read' },
    { name: 'channels', access: 'read' },
    { name: 'masks', access: 'read_write' },
  ],
  overrides: interpolationOverrides,
});

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
    kernel: upsampleNormaliseKernel,
    label: args.label,
    constants: interpolationConstants(args),
    params: { batch: args.batch, first_mask: args.firstMask },
    buffers: {
      maps: args.maps,
      ranges: args.ranges,
      channels: args.channels,
      masks: args.masks,
    },
    workgroups: gridOf(args.label, args.batch * args.height * args.width, 64),
  };
}
