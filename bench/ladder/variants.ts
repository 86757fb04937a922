import type { Axes } from '../../src/kernels/variants';

/** Of the kernels that are here for study, as second oracle and as baseline: those with more than one variant. */
export const NAIVE_VARIANTS = {
  conv_naive: [{ weights: ['f32', 'f16'] }],
  masked_conv_naive: [{ weights: ['f32', 'f16'] }],
  linear_naive: [{ weights: ['f32', 'f16', 'int8'] }],
} as const satisfies Readonly<Record<string, readonly Axes[]>>;
