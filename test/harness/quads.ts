import type { GpuCase } from './case';

/** Of a suite's cases, those of kernels in quads run on subgroups. */
export const quadsNeedSubgroups = (cases: readonly GpuCase[]): GpuCase[] =>
  cases.map((one) =>
    one.name.includes('quads') ? { ...one, needs: [...(one.needs ?? []), 'subgroups'] } : one,
  );

/** In every run in Chrome, and on lavapipe as well what needs subgroups of more than one quad: they are lavapipe's alone. */
export const usuallyQuadsOnDawn = (cases: readonly GpuCase[]): GpuCase[] =>
  cases.map((one) => ({
    ...one,
    usually: one.name.includes('quads') ? ['chrome', 'dawn'] : ['chrome'],
  }));
