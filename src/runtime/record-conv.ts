import type { Arena } from '../gpu/arena';
import type { Dispatch, Slice } from '../gpu/kernel';
import { type ConvShape, type ConvTiling, conv } from '../kernels/convolution/conv';
import type { Places } from '../kernels/shared/places';
import {
  winogradConv,
  winogradFilterBytes,
  winogradFilters,
  winogradScratch,
} from '../kernels/winograd/winograd';
import type { ConvDtype } from '../numbers/dtypes';
import { type ConvDevice, type ConvMethod, chooseConv } from '../plan/conv_choice';

export interface RecordedConv {
  readonly label: string;
  readonly shape: ConvShape;
  readonly batch: number;
  readonly dtype: ConvDtype;
  /** From `packConv`. */
  readonly weights: Slice;
  /** Transformed for Winograd, as the method for the shape wants them; made here for this use where absent. */
  readonly filters: Slice | undefined;
  readonly bias: Slice;
  readonly input: Slice;
  readonly output: Slice;
  /** Tiles to compute, of a convolution by F(4x4, 3x3); default all. */
  readonly places?: Places | undefined;
}

/** A convolution as the device and the shape demand; scratch from `arena`. */
export function recordConv(
  convolution: RecordedConv,
  device: ConvDevice,
  arena: Arena,
  forced?: ConvTiling,
): Dispatch[] {
  const method: ConvMethod = forced
    ? { kind: 'direct', tiling: forced }
    : chooseConv(convolution.shape, device);
  return recordMethod(convolution, method, arena);
}

/** The same by one method. */
export function recordMethod(
  convolution: RecordedConv,
  method: ConvMethod,
  arena: Arena,
): Dispatch[] {
  const { label, shape, batch, dtype, weights, bias, filters: kept, input, output } = convolution;
  const { places } = convolution;
  if (method.kind === 'direct') {
    const tensors = { input, output, weights, bias };
    const tile = method.directTile;
    return [conv(method.tiling, { label, shape, dtype, batch, ...tensors, tile })];
  }
  const sizes = winogradScratch(shape, batch, places?.count, method);
  const filters = kept ?? arena.take(`${label}, filters`, winogradFilterBytes(shape, method));
  const transformed = arena.take(`${label}, transformed`, sizes.transformed);
  const product = arena.take(`${label}, product`, sizes.product);
  if (!kept) arena.release(filters);
  arena.release(transformed);
  arena.release(product);
  const first = kept
    ? []
    : [winogradFilters({ label, shape, dtype, precision: method.precision, weights, filters })];
  const tensors = { input, filters, bias, transformed, product, output };
  return [...first, ...winogradConv({ label, shape, batch, ...tensors, places, method })];
}
