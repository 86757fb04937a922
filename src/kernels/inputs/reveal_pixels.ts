import type { Dispatch, Slice } from '../../gpu/kernel';
import { workgroupsFor } from '../../gpu/workgroups';
import { only } from '../family';
import source from './reveal_pixels.wgsl';

const kernel = only(source);

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
    kernel,
    label,
    constants: {},
    params: { batch, channels, pixels, first, steps },
    buffers: { over, under, ranks, output },
    workgroups: workgroupsFor(label, batch * channels * pixels, 64),
  };
}
