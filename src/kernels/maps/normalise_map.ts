import { type Dispatch, defineKernel, type Slice } from '../../gpu/kernel';
import { gridOf } from '../../gpu/workgroups';
import code from './normalise_map.wgsl?raw';

export const normaliseMapKernel = defineKernel({
  name: 'normalise_map',
  code,
  params: [{ name: 'count', type: 'u32' }],
  storage: [
    { name: 'range', access: 'read' },
    { name: 'input', access: 'read' },
    { name: 'output', access: 'read_write' },
  ],
});

export interface NormaliseMapArgs {
  readonly label: string;
  /** Values of the map. */
  readonly count: number;
  /** One pair (min, max) of the input's values, see mapRanges. */
  readonly range: Slice;
  readonly input: Slice;
  /** In [0, 1]. */
  readonly output: Slice;
}

/** Min-max normalisation; a flat map becomes zeros. */
export function normaliseMap(args: NormaliseMapArgs): Dispatch {
  return {
    kernel: normaliseMapKernel,
    label: args.label,
    constants: {},
    params: { count: args.count },
    buffers: { range: args.range, input: args.input, output: args.output },
    workgroups: gridOf(args.label, args.count, 64),
  };
}
