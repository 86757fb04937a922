/** What a network's weights are on the GPU; sums, activations, biases and scales are f32 always. */
export type WeightDtype = 'f32' | 'f16' | 'int8';

/** Convolutions have few weights for their work: int8 would save little and cost accuracy. */
export type ConvDtype = Exclude<WeightDtype, 'int8'>;

/** Bytes of one weight. */
export const WEIGHT_BYTES: Readonly<Record<WeightDtype, number>> = { f32: 4, f16: 2, int8: 1 };

/** What the tensors between Winograd's kernels (U, V and M) are stored as; sums are f32 always. */
export type Precision = 'f32' | 'f16';

/** Bytes of an element of those. */
export const STORED_BYTES: Readonly<Record<Precision, number>> = { f32: 4, f16: 2 };
