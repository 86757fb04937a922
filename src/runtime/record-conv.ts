import type { Arena } from '../gpu/arena';
import type { Dispatch, Slice } from '../gpu/kernel';
import { conv } from '../kernels/convolution/conv';
import type { ConvShape } from '../kernels/convolution/conv_kernel';
import type { ConvEnds } from '../kernels/shared/conv_shape';
import type { Places } from '../kernels/shared/places';
import {
  winogradConv,
  winogradFilterBytes,
  winogradFilters,
  winogradScratch,
} from '../kernels/winograd/winograd';
import type { ConvDtype } from '../numbers/dtypes';
import type { ConvMethod } from '../plan/conv_choice';

export interface RecordedConv extends ConvEnds {
  readonly label: string;
  readonly shape: ConvShape;
  readonly method: ConvMethod;
  readonly batch: number;
  readonly dtype: ConvDtype;
  /** From `packConv`. */
  readonly weights: Slice;
  /** Transformed for Winograd, as the method wants them; made here for this use where absent. */
  readonly filters: Slice | undefined;
  readonly bias: Slice;
  readonly input: Slice;
  readonly output: Slice;
  /** Tiles to compute, of a method that lists them; default all. */
  readonly places?: Places | undefined;
}

/** The dispatches of a convolution; scratch from `arena`. */
export function recordConv(convolution: RecordedConv, arena: Arena): Dispatch[] {
  const { label, shape, method, batch, dtype, weights, bias, filters: kept } = convolution;
  const { input, output, places, added, view } = convolution;
  if (method.kind === 'direct') {
    if (places) throw new Error(`"${label}" is computed directly, and that lists no tiles.`);
    const tensors = { input, output, weights, bias, added, view };
    return [conv(method.tiling, { label, shape, dtype, batch, ...tensors, choice: method })];
  }
  const sizes = winogradScratch(shape, batch, places?.count, method);
  const filters = kept ?? arena.take(`${label}, filters`, winogradFilterBytes(shape, method));
  const transformed = arena.take(`${label}, transformed`, sizes.transformed);
  const product = arena.take(`${label}, product`, sizes.product);
  if (!kept) arena.release(filters);
  arena.release(transformed);
  arena.release(product);
  const { precision } = method;
  const first = kept ? [] : [winogradFilters({ label, shape, dtype, precision, weights, filters })];
  const tensors = { input, filters, bias, transformed, product, output, added, view };
  return [...first, ...winogradConv({ label, shape, batch, ...tensors, places, method })];
}
