import type { Axes } from '../../src/kernels/variants';

/** Of the kernels that are here for study, as second oracle and as baseline: those with more than one variant. */
export const NAIVE_VARIANTS = {
  masked_conv_naive: [{ weights: ['f32', 'f16'] }],
} as const satisfies Readonly<Record<string, readonly Axes[]>>;
