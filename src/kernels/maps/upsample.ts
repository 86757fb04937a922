import type { Dispatch, Slice } from '../../gpu/kernel';
import { workgroupsFor } from '../../gpu/workgroups';
import { only } from '../family';
import { type Interpolation, interpolationConstants } from '../shared/interpolation';
import source from './upsample.wgsl';

const kernel = only(source);

export interface UpsampleArgs extends Interpolation {
  readonly label: string;
  readonly count: number;
  /** max(value, 0) after the interpolation */
  readonly relu: boolean;
  /** [count, mapHeight, mapWidth] */
  readonly input: Slice;
  /** [count, height, width] */
  readonly output: Slice;
}

/** Bilinear upsampling of `count` maps. */
export function upsample(args: UpsampleArgs): Dispatch {
  return {
    kernel,
    label: args.label,
    constants: { ...interpolationConstants(args), RELU: Number(args.relu) },
    params: { count: args.count },
    buffers: { maps: args.input, output: args.output },
    workgroups: workgroupsFor(args.label, args.count * args.height * args.width, 64),
  };
}
