import { type ConvShape, type ConvTiling, chooseConvTiling, conv } from '../kernels/conv';
import type { Dispatch, Slice } from '../kernels/kernel';
import type { Places } from '../kernels/places';
import type { ConvDtype } from '../kernels/weight_dtype';
import {
  choosesWinograd,
  winogradConv,
  winogradFilterBytes,
  winogradFilters,
  winogradScratch,
} from '../kernels/winograd';
import type { Arena } from './arena';

export interface RecordedConv {
  readonly label: string;
  readonly shape: ConvShape;
  readonly batch: number;
  readonly dtype: ConvDtype;
  /** Packed as src/kernels/conv.ts says; may be absent where `filters` stand for them. */
  readonly weights: Slice | undefined;
  /** Transformed for Winograd; made here for this use where absent and wanted. */
  readonly filters: Slice | undefined;
  readonly bias: Slice;
  readonly input: Slice;
  readonly output: Slice;
  /** Tiles to compute, of a convolution by Winograd; default all. */
  readonly places?: Places | undefined;
}

/** A convolution by Winograd or by a tiling, as the adapter and the shape demand; scratch from `arena`. */
export function recordConv(
  convolution: RecordedConv,
  adapter: { readonly isFallback: boolean },
  arena: Arena,
  forced?: ConvTiling,
): Dispatch[] {
  const { label, shape, batch, dtype, weights, bias, filters: kept, input, output } = convolution;
  const { places } = convolution;
  if (forced || !choosesWinograd(shape, adapter)) {
    const tiling = forced ?? chooseConvTiling(shape, adapter);
    const tensors = { input, output, weights: direct(weights), bias };
    return [conv(tiling, { label, shape, dtype, batch, ...tensors })];
  }
  const sizes = winogradScratch(shape, batch, places?.count);
  const filters = kept ?? arena.take(`${label}, filters`, winogradFilterBytes(shape));
  const transformed = arena.take(`${label}, transformed`, sizes.transformed);
  const product = arena.take(`${label}, product`, sizes.product);
  if (!kept) arena.release(filters);
  arena.release(transformed);
  arena.release(product);
  const first = kept
    ? []
    : [winogradFilters({ label, shape, dtype, weights: direct(weights), filters })];
  const tensors = { input, filters, bias, transformed, product, output };
  return [...first, ...winogradConv({ label, shape, batch, ...tensors, places })];
}

/** Weights in the layout that all tilings but Winograd read. */
export function direct(weights: Slice | undefined): Slice {
  if (weights) return weights;
  throw new Error('These weights are there for Winograd only: load them with `direct`.');
}
