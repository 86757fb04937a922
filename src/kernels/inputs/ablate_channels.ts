import type { Dispatch, Slice } from '../../gpu/kernel';
import { workgroupsFor } from '../../gpu/workgroups';
import { only } from '../family';
import source from './ablate_channels.wgsl';

const kernel = only(source);

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
    kernel,
    label,
    constants: {},
    params: { batch, channels, pixels, first },
    buffers: { maps, output },
    workgroups: workgroupsFor(label, batch * channels * pixels, 64),
  };
}
