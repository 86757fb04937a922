import type { Dispatch, Slice } from '../../gpu/kernel';
import { workgroupsFor } from '../../gpu/workgroups';
import { only } from '../family';
import source from './normalise_map.wgsl';

const kernel = only(source);

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
    kernel,
    label: args.label,
    constants: {},
    params: { count: args.count },
    buffers: { range: args.range, input: args.input, output: args.output },
    workgroups: workgroupsFor(args.label, args.count, 64),
  };
}
