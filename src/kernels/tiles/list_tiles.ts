import { type Dispatch, defineKernel, type Slice } from '../../gpu/kernel';
import { gridOf } from '../../gpu/workgroups';
import code from './list_tiles.wgsl?raw';

export const listTilesKernel = defineKernel({
  name: 'list_tiles',
  code,
  params: ['first_mask', 'batch', 'words', 'lists'].map((name) => ({ name, type: 'u32' })),
  storage: [
    { name: 'lists', access: 'read' },
    { name: 'rows', access: 'read' },
    { name: 'bits', access: 'read' },
    { name: 'counts', access: 'read' },
    { name: 'before', access: 'read' },
    { name: 'places', access: 'read_write' },
  ],
});

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
    kernel: listTilesKernel,
    label,
    constants: {},
    params: { first_mask: firstMask, batch, words, lists: count },
    buffers: { lists, rows, bits, counts, before, places },
    workgroups: gridOf(label, batch * words, 64),
  };
}
