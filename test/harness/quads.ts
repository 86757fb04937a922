import type { GpuCase } from './case';

/** Of a suite's cases, those of kernels in quads run on subgroups. */
export const quadsNeedSubgroups = (cases: readonly GpuCase[]): GpuCase[] =>
  cases.map((one) =>
    one.name.includes('quads') ? { ...one, needs: [...(one.needs ?? []), 'subgroups'] } : one,
  );
