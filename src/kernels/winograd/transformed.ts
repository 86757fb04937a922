import type { Dispatch } from '../../gpu/kernel';
import type { ConvShape } from '../shared/conv_shape';
import {
  type WinogradFiltersArgs,
  type WinogradMethod,
  winogradFilterBytes,
  winogradFilters,
} from './winograd';
import { type FusedMethod, fusedFilterBytes, fusedFilters } from './winograd_fused';

/*
 * The filters of convolutions by Winograd, F(4x4) in three kernels or F(2x2) in one: which of them a method reads.
 */

export type TransformedMethod =
  | ({ readonly kind: 'winograd' } & WinogradMethod)
  | ({ readonly kind: 'fused' } & FusedMethod);

/** A layout in words: filters of one are read by methods of the same. */
export function filterLayout({ kind, precision }: TransformedMethod): string {
  return `F(${kind === 'fused' ? '2x2' : '4x4'}) in ${precision}`;
}

export function filterBytes(
  shape: Pick<ConvShape, 'inChannels' | 'outChannels'>,
  method: TransformedMethod,
): number {
  return method.kind === 'fused'
    ? fusedFilterBytes(shape, method.precision)
    : winogradFilterBytes(shape, method);
}

export function transformFilters(
  args: Omit<WinogradFiltersArgs, 'precision'> & { readonly method: TransformedMethod },
): Dispatch {
  const { kind, precision } = args.method;
  return (kind === 'fused' ? fusedFilters : winogradFilters)({ ...args, precision });
}
