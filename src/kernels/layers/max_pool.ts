import type { Dispatch, Slice } from '../../gpu/kernel';
import { workgroupsFor } from '../../gpu/workgroups';
import { only } from '../family';
import source from './max_pool.wgsl';

const kernel = only(source);

export interface MaxPoolArgs {
  readonly label: string;
  readonly channels: number;
  /** Of the input; the output is half as high and wide, rounded down. */
  readonly height: number;
  readonly width: number;
  readonly batch: number;
  /** [batch, channels, height, width] */
  readonly input: Slice;
  /** [batch, channels, floor(height / 2), floor(width / 2)] */
  readonly output: Slice;
}

/** Max pooling, 2 x 2 with stride 2. */
export function maxPool(args: MaxPoolArgs): Dispatch {
  const planes = args.batch * args.channels;
  const outputs = planes * Math.floor(args.height / 2) * Math.floor(args.width / 2);
  return {
    kernel,
    label: args.label,
    constants: { HEIGHT: args.height, WIDTH: args.width },
    params: { planes },
    buffers: { input: args.input, output: args.output },
    workgroups: workgroupsFor(args.label, outputs, 64),
  };
}
