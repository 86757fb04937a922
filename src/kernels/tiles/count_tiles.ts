import type { Dispatch, Slice } from '../../gpu/kernel';
import { workgroupsFor } from '../../gpu/workgroups';
import { only } from '../family';
import source from './count_tiles.wgsl';

const kernel = only(source);

export interface CountTilesArgs {
  readonly label: string;
  readonly masks: number;
  readonly words: number;
  /** [count] pairs of u32: first word, words. */
  readonly lists: Slice;
  readonly count: number;
  /** [masks, words] */
  readonly bits: Slice;
  /** [masks, count] u32 */
  readonly counts: Slice;
  /** [masks, words] u32: of each word's list, what stands before it. */
  readonly before: Slice;
}

/** Counts the tiles of every list of every mask. */
export function countTiles(args: CountTilesArgs): Dispatch {
  const { label, masks, words, lists, count, bits, counts, before } = args;
  return {
    kernel,
    label,
    constants: {},
    params: { masks, words, lists: count },
    buffers: { lists, bits, counts, before },
    workgroups: workgroupsFor(label, masks * count, 64),
  };
}
