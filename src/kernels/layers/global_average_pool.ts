import type { Dispatch, Slice } from '../../gpu/kernel';
import { workgroupsFor } from '../../gpu/workgroups';
import { only } from '../family';
import source from './global_average_pool.wgsl';

const kernel = only(source);

export interface GlobalAveragePoolArgs {
  readonly label: string;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly batch: number;
  /** [batch, channels, height, width] */
  readonly input: Slice;
  /** [batch, channels] */
  readonly output: Slice;
}

/** Mean of each channel of each image. */
export function globalAveragePool(args: GlobalAveragePoolArgs): Dispatch {
  const planes = args.batch * args.channels;
  return {
    kernel,
    label: args.label,
    constants: { PIXELS: args.height * args.width },
    params: { planes },
    buffers: { input: args.input, output: args.output },
    workgroups: workgroupsFor(args.label, planes, 64),
  };
}
