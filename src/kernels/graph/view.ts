import type { Slice } from '../../gpu/kernel';

/**
 * Channels first .. first + count - 1 of each image of a tensor [batch, of, height, width]: what a concatenation is made
 * of is written where it belongs, and never copied.
 */
export interface View {
  readonly slice: Slice;
  readonly first: number;
  readonly of: number;
}

/** A whole tensor of so many channels. */
export function whole(slice: Slice, channels: number): View {
  return { slice, first: 0, of: channels };
}
