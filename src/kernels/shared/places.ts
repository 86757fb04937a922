import type { Slice } from '../../gpu/kernel';

/**
 * A list of places (tiles or patches of a batch, counted image by image) on the GPU, u32: what exact skipping computes
 * instead of all of them. docs/skipping.md.
 */
export interface Places {
  readonly list: Slice;
  readonly count: number;
}

/** Which variant goes over them. */
export const placesOf = (places: Places | undefined): 'all' | 'listed' =>
  places ? 'listed' : 'all';
