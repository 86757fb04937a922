import { type Dispatch, defineKernel, type Slice } from '../../gpu/kernel';
import { checkedGrid, gridOf } from '../../gpu/workgroups';
import {
  type Interpolation,
  interpolationCode,
  interpolationConstants,
  interpolationOverrides,
} from '../shared/interpolation';
import code from './map_ranges.wgsl?raw';
import naive from './map_ranges_naive.wgsl?raw';

const storage = [
  { name: 'maps', access: 'read' },
  { name: 'ranges', access: 'read_write' },
] as const;

export const mapRangesKernel = defineKernel({
  name: 'map_ranges',
  code: interpolationCode + code,
  storage,
  overrides: interpolationOverrides,
});

export const mapRangesNaiveKernel = defineKernel({
  name: 'map_ranges_naive',
  code: interpolationCode + naive,
  params: [{ name: 'count', type: 'u32' }],
  storage,
  overrides: interpolationOverrides,
});

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
    kernel: mapRangesKernel,
    label: args.label,
    constants: interpolationConstants(args),
    params: {},
    buffers: { maps: args.maps, ranges: args.ranges },
    workgroups: checkedGrid(args.label, [args.count, 1, 1]),
  };
}

/** The same, computed in the straightforward way; the oracle of {@link mapRanges}. */
export function mapRangesNaive(args: MapRangesArgs): Dispatch {
  return {
    ...mapRanges(args),
    kernel: mapRangesNaiveKernel,
    params: { count: args.count },
    workgroups: gridOf(args.label, args.count, 64),
  };
}
