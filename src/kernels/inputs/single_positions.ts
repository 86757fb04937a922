import type { Dispatch, Slice } from '../../gpu/kernel';
import { workgroupsFor } from '../../gpu/workgroups';
import { only } from '../family';
import source from './single_positions.wgsl';

const kernel = only(source);

export interface SinglePositionsArgs {
  readonly label: string;
  readonly batch: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Copy m keeps position first + m, counted row by row. */
  readonly first: number;
  /** [channels, height, width] */
  readonly maps: Slice;
  /** [batch, channels, height, width] */
  readonly output: Slice;
}

/** Copies of activation maps, each with one position and its neighbours left. */
export function singlePositions(args: SinglePositionsArgs): Dispatch {
  const { label, batch, channels, height, width, first, maps, output } = args;
  return {
    kernel,
    label,
    constants: {},
    params: { batch, channels, height, width, first },
    buffers: { maps, output },
    workgroups: workgroupsFor(label, batch * channels * height * width, 64),
  };
}
