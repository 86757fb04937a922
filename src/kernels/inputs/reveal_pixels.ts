import { type Dispatch, defineKernel, type Slice } from '../../gpu/kernel';
import { gridOf } from '../../gpu/workgroups';
import code from './reveal_pixels.wgsl?raw';

export const revealPixelsKernel = defineKernel({
  name: 'reveal_pixels',
  code,
  params: ['batch', 'channels', 'pixels', 'first', 'steps'].map(
    (name) => ({ name, type: 'u32' }) as const,
  ),
  storage: [
    { name: 'over', access: 'read' },
    { name: 'under', access: 'read' },
    { name: 'ranks', access: 'read' },
    { name: 'output', access: 'read_write' },
  ],
});

export interface RevealPixelsArgs {
  readonly label: string;
  readonly batch: number;
  readonly channels: number;
  readonly pixels: number;
  /** Image m shows pixels (first + m) / steps of `over`, rounded down. */
  readonly first: number;
  readonly steps: number;
  /** [channels, pixels] */
  readonly over: Slice;
  /** [channels, pixels] */
  readonly under: Slice;
  /** [pixels] u32: pixel i is the ranks[i]-th to come from `over`. */
  readonly ranks: Slice;
  /** [batch, channels, pixels] */
  readonly output: Slice;
}

/** Mixtures of two images, of which more and more pixels come from the first. */
export function revealPixels(args: RevealPixelsArgs): Dispatch {
  const { label, batch, channels, pixels, first, steps, over, under, ranks, output } = args;
  return {
    kernel: revealPixelsKernel,
    label,
    constants: {},
    params: { batch, channels, pixels, first, steps },
    buffers: { over, under, ranks, output },
    workgroups: gridOf(label, batch * channels * pixels, 64),
  };
}
