import { type Dispatch, defineKernel, type Slice } from '../../gpu/kernel';
import { gridOf } from '../../gpu/workgroups';
import code from './ablate_channels.wgsl?raw';

export const ablateChannelsKernel = defineKernel({
  name: 'ablate_channels',
  code,
  params: ['batch', 'channels', 'pixels', 'first'].map((name) => ({ name, type: 'u32' }) as const),
  storage: [
    { name: 'maps', access: 'read' },
    { name: 'output', access: 'read_write' },
  ],
});

export interface AblateChannelsArgs {
  readonly label: string;
  readonly batch: number;
  readonly channels: number;
  readonly pixels: number;
  /** Copy m lacks channel first + m. */
  readonly first: number;
  /** [channels, pixels] */
  readonly maps: Slice;
  /** [batch, channels, pixels] */
  readonly output: Slice;
}

/** Copies of activation maps, each without one channel. */
export function ablateChannels(args: AblateChannelsArgs): Dispatch {
  const { label, batch, channels, pixels, first, maps, output } = args;
  return {
    kernel: ablateChannelsKernel,
    label,
    constants: {},
    params: { batch, channels, pixels, first },
    buffers: { maps, output },
    workgroups: gridOf(label, batch * channels * pixels, 64),
  };
}
