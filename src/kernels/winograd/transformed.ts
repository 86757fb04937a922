import type { Dispatch } from '../../gpu/kernel';
import type { ConvShape } from '../shared/conv_shape';
import {
  type WinogradFiltersArgs,
  type WinogradMethod,
  winogradFilterBytes,
  winogradFilters,
} from './winograd';
import {
  type Fused4x4Method,
  type FusedMethod,
  fusedFilterBytes,
  fusedFilters,
} from './winograd_fused';

/*
 * The filters of convolutions by Winograd, F(4x4) in three kernels or one, or F(2x2) in one: which of them a method reads.
 */

export type TransformedMethod =
  | ({ readonly kind: 'winograd' } & WinogradMethod)
  | ({ readonly kind: 'fused' } & FusedMethod)
  | ({ readonly kind: 'fused4x4' } & Fused4x4Method);

/** A layout in words: filters of one are read by methods of the same. */
export function filterLayout({ kind, precision }: TransformedMethod): string {
  const of = { winograd: 'F(4x4)', fused: 'F(2x2)', fused4x4: 'F(4x4) in one kernel' }[kind];
  return `${of} in ${precision}`;
}

export function filterBytes(
  shape: Pick<ConvShape, 'inChannels' | 'outChannels'>,
  method: TransformedMethod,
): number {
  return method.kind === 'winograd'
    ? winogradFilterBytes(shape, method)
    : fusedFilterBytes(shape, method.precision, method.kind);
}

export function transformFilters(
  args: Omit<WinogradFiltersArgs, 'precision'> & { readonly method: TransformedMethod },
): Dispatch {
  const { kind, precision } = args.method;
  return kind === 'winograd'
    ? winogradFilters({ ...args, precision })
    : fusedFilters({ ...args, precision, kind });
}
