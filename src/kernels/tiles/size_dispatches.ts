import { type Counted, type Dispatch, defineKernel, type Slice } from '../../gpu/kernel';
import { gridOf } from '../../gpu/workgroups';
import counted from './counted.wgsl?raw';
import code from './size_dispatches.wgsl?raw';

export const sizeDispatchesKernel = defineKernel({
  name: 'size_dispatches',
  code: `${counted}\n${code}`,
  params: ['first_mask', 'batch', 'lists', 'count'].map((name) => ({ name, type: 'u32' })),
  storage: [
    { name: 'rows', access: 'read' },
    { name: 'counts', access: 'read' },
    { name: 'jobs', access: 'read' },
    { name: 'sizes', access: 'read_write' },
  ],
});

/** Bytes of one dispatch's three u32. */
export const SIZE_BYTES = 12;

/** The jobs as the kernel reads them: eight u32 each. */
export function packJobs(jobs: readonly Counted[]): Uint32Array<ArrayBuffer> {
  return Uint32Array.from(
    jobs.flatMap(({ list, first, most, rule: { together, items, size, y, z } }) => [
      list,
      first,
      most,
      together,
      items,
      size,
      y,
      z,
    ]),
  );
}

export interface SizeDispatchesArgs {
  readonly label: string;
  /** The batch: masks rows[firstMask] .. rows[firstMask + batch - 1]. */
  readonly firstMask: number;
  readonly batch: number;
  /** u32 rows of `counts`. */
  readonly rows: Slice;
  /** [masks, lists] u32, from count_tiles. */
  readonly counts: Slice;
  readonly lists: number;
  /** [count], from {@link packJobs}. */
  readonly jobs: Slice;
  readonly count: number;
  /** [count] of {@link SIZE_BYTES}: the arguments of dispatchWorkgroupsIndirect. */
  readonly sizes: Slice;
}

/** Works out how many workgroups each of a batch's dispatches over listed tiles takes. */
export function sizeDispatches(args: SizeDispatchesArgs): Dispatch {
  const { label, firstMask, batch, rows, counts, lists, jobs, count, sizes } = args;
  return {
    kernel: sizeDispatchesKernel,
    label,
    constants: {},
    params: { first_mask: firstMask, batch, lists, count },
    buffers: { rows, counts, jobs, sizes },
    workgroups: gridOf(label, count, 64),
  };
}
