import type { Dispatch, Slice } from '../../gpu/kernel';
import { workgroupsFor } from '../../gpu/workgroups';
import { only } from '../family';
import source from './list_tiles.wgsl';

const kernel = only(source);

export interface ListTilesArgs {
  readonly label: string;
  /** The batch: masks rows[firstMask] .. rows[firstMask + batch - 1]. */
  readonly firstMask: number;
  readonly batch: number;
  readonly words: number;
  /** [count] of four u32: first word, words, tiles of a mask, where the list begins in `places`. */
  readonly lists: Slice;
  readonly count: number;
  /** u32 rows of `bits` and `counts`. */
  readonly rows: Slice;
  /** [masks, words] */
  readonly bits: Slice;
  /** [masks, count] and [masks, words] u32, from count_tiles. */
  readonly counts: Slice;
  readonly before: Slice;
  readonly places: Slice;
}

/** Writes all lists of one batch. */
export function listTiles(args: ListTilesArgs): Dispatch {
  const { label, firstMask, batch, words, lists, count, rows, bits, counts, before, places } = args;
  return {
    kernel,
    label,
    constants: {},
    params: { first_mask: firstMask, batch, words, lists: count },
    buffers: { lists, rows, bits, counts, before, places },
    workgroups: workgroupsFor(label, batch * words, 64),
  };
}
