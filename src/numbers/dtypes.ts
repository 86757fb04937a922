/** What a network's weights are on the GPU; sums, activations, biases and scales are f32 always. */
export type WeightDtype = 'f32' | 'f16' | 'int8';

/** Convolutions have few weights for their work: int8 would save little and cost accuracy. */
export type ConvDtype = Exclude<WeightDtype, 'int8'>;

/** Bytes of one weight. */
export const WEIGHT_BYTES: Readonly<Record<WeightDtype, number>> = { f32: 4, f16: 2, int8: 1 };

/** What the tensors between Winograd's kernels (U, V and M) are stored as. */
export type StoredDtype = 'f32' | 'f16';

/**
 * How convolutions may be computed: all in f32; with Winograd's tensors stored as f16 and sums in f32; or, where there is a
 * kernel for it, with products and their sums over 16 channels in f16, too.
 */
export const PRECISIONS = ['f32', 'f16', 'f16-products'] as const;
export type Precision = (typeof PRECISIONS)[number];

export function storedAs(precision: Precision): StoredDtype {
  return precision === 'f32' ? 'f32' : 'f16';
}

/** Bytes of an element of those. */
export const STORED_BYTES: Readonly<Record<StoredDtype, number>> = { f32: 4, f16: 2 };
