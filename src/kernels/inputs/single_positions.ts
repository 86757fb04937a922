import { type Dispatch, defineKernel, type Slice } from '../../gpu/kernel';
import { gridOf } from '../../gpu/workgroups';
import code from './single_positions.wgsl?raw';

export const singlePositionsKernel = defineKernel({
  name: 'single_positions',
  code,
  params: ['batch', 'channels', 'height', 'width', 'first'].map(
    (name) => ({ name, type: 'u32' }) as const,
  ),
  storage: [
    { name: 'maps', access: 'read' },
    { name: 'output', access: 'read_write' },
  ],
});

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
    kernel: singlePositionsKernel,
    label,
    constants: {},
    params: { batch, channels, height, width, first },
    buffers: { maps, output },
    workgroups: gridOf(label, batch * channels * height * width, 64),
  };
}
