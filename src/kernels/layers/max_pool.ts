import { type Dispatch, defineKernel, type Slice } from '../../gpu/kernel';
import { gridOf } from '../../gpu/workgroups';
import code from './max_pool.wgsl?raw';

export const maxPoolKernel = defineKernel({
  name: 'max_pool',
  code,
  params: [{ name: 'planes', type: 'u32' }],
  storage: [
    { name: 'input', access: 'read' },
    { name: 'output', access: 'read_write' },
  ],
  overrides: ['HEIGHT', 'WIDTH'],
});

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
    kernel: maxPoolKernel,
    label: args.label,
    constants: { HEIGHT: args.height, WIDTH: args.width },
    params: { planes },
    buffers: { input: args.input, output: args.output },
    workgroups: gridOf(args.label, outputs, 64),
  };
}
