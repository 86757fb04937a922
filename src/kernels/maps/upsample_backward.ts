import type { Dispatch, Slice } from '../../gpu/kernel';
import { ceilDiv } from '../../numbers/padding';
import { only } from '../family';
import { type Interpolation, interpolationConstants } from '../shared/interpolation';
import source from './upsample_backward.wgsl';

const kernel = only(source);

export interface UpsampleBackwardArgs extends Interpolation {
  readonly label: string;
  /** [height, width] of the upsampled map */
  readonly gradient: Slice;
  /** [mapHeight, mapWidth] */
  readonly result: Slice;
}

/** Back through the bilinear upsampling of one map. */
export function upsampleBackward(args: UpsampleBackwardArgs): Dispatch {
  const { label, gradient, result, mapHeight, mapWidth } = args;
  return {
    kernel,
    label,
    constants: interpolationConstants(args),
    params: {},
    buffers: { gradient, result },
    workgroups: [ceilDiv(mapHeight * mapWidth, 64), 1, 1],
  };
}
