import type { Dispatch, Slice } from '../../gpu/kernel';
import { workgroupsFor } from '../../gpu/workgroups';
import { only } from '../family';
import source from './weighted_sum.wgsl';

const kernel = only(source);

export interface WeightedSumArgs {
  readonly label: string;
  /** [count, mapHeight, mapWidth] */
  readonly maps: Slice;
  /** [count] */
  readonly weights: Slice;
  readonly count: number;
  readonly mapHeight: number;
  readonly mapWidth: number;
  /** [mapHeight, mapWidth] */
  readonly output: Slice;
}

/**
 * The weighted sum of the maps at their own resolution. Upsampling is linear: doing it after the sum
 * gives the same map as doing it before.
 */
export function weightedSum(args: WeightedSumArgs): Dispatch {
  const pixels = args.mapHeight * args.mapWidth;
  return {
    kernel,
    label: args.label,
    constants: { PIXELS: pixels },
    params: { count: args.count },
    buffers: { maps: args.maps, weights: args.weights, output: args.output },
    workgroups: workgroupsFor(args.label, pixels, 64),
  };
}
