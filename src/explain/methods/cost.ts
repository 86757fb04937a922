import type { Passes } from '../types';
import type { OptionValues } from './options';

/** How many of a layer's channels are evaluated, if none is constant. */
export function evaluatedChannels({ channels, top }: OptionValues, total: number): number {
  return Math.min(channels?.length ?? top ?? total, total);
}

/** Passes of whole images alone. */
export function forwardPasses(forward: number): Passes {
  return { forward, backward: 0, head: 0 };
}
