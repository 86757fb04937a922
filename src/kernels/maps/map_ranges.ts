import type { Dispatch, Slice } from '../../gpu/kernel';
import { checkedWorkgroups } from '../../gpu/workgroups';
import { only } from '../family';
import { type Interpolation, interpolationConstants } from '../shared/interpolation';
import source from './map_ranges.wgsl';

const kernel = only(source);

export interface MapRangesArgs extends Interpolation {
  readonly label: string;
  /** [count, mapHeight, mapWidth] */
  readonly maps: Slice;
  readonly count: number;
  /** [count] pairs (min, max) */
  readonly ranges: Slice;
}

/**
 * Smallest and largest value of every map after upsampling to height x width; with equal sizes, of
 * the map itself.
 */
export function mapRanges(args: MapRangesArgs): Dispatch {
  return {
    kernel,
    label: args.label,
    constants: interpolationConstants(args),
    params: {},
    buffers: { maps: args.maps, ranges: args.ranges },
    workgroups: checkedWorkgroups(args.label, [args.count, 1, 1]),
  };
}
