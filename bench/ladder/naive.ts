import type { Dispatch } from '../../src/gpu/kernel';
import { workgroupsFor } from '../../src/gpu/workgroups';
import {
  type ConvArgs,
  type ConvTiling,
  conv,
  type MaskedConvArgs,
  type MaskedTiling,
  maskedConv,
} from '../../src/kernels/convolution/conv';
import { convValues } from '../../src/kernels/convolution/conv_kernel';
import { convNaive, naiveWorkgroups } from '../../src/kernels/convolution/conv_naive';
import { family, only } from '../../src/kernels/family';
import {
  type LinearArgs,
  type LinearTiling,
  linear,
  partialSums,
} from '../../src/kernels/linear/linear';
import { linearNaive } from '../../src/kernels/linear/linear_naive';
import type { MapRangesArgs } from '../../src/kernels/maps/map_ranges';
import { interpolationConstants } from '../../src/kernels/shared/interpolation';
import mapRangesSource from './map_ranges_naive.wgsl';
import maskedConvSource from './masked_conv_naive.wgsl';
import type { NAIVE_VARIANTS } from './variants';

/*
 * The plainest kernels, one invocation an output element: second oracle of the tests and baseline of the benchmarks.
 * They take what the library's own take. Two are the library's, which validates by them; these are no part of it.
 */

const maskedConvKernels = family<typeof NAIVE_VARIANTS.masked_conv_naive>(maskedConvSource);
const mapRangesKernel = only(mapRangesSource);

/** Evaluates the mask anew for every tap, and computes all places. */
export function maskedConvNaive({ label, shape, dtype, batch, ...args }: MaskedConvArgs): Dispatch {
  const { image, maps, ranges, channels, weights, bias, output } = args;
  const mask = {
    first_mask: args.firstMask,
    map_height: args.mapHeight,
    map_width: args.mapWidth,
    align_corners: args.alignCorners ? 1 : 0,
  };
  return {
    ...convValues(maskedConvKernels.pick({ weights: dtype }), shape, mask),
    label,
    buffers: { image, maps, ranges, channels, weights, bias, output },
    workgroups: naiveWorkgroups(label, shape, batch),
  };
}

export function mapRangesNaive({ label, maps, count, ranges, ...sizes }: MapRangesArgs): Dispatch {
  return {
    kernel: mapRangesKernel,
    label,
    constants: interpolationConstants(sizes),
    params: { count },
    buffers: { maps, ranges },
    workgroups: workgroupsFor(label, count, 64),
  };
}

/** The library's ways, and the naive one. */
export type AnyConvTiling = ConvTiling | 'naive';
export type AnyMaskedTiling = MaskedTiling | 'naive';
export type AnyLinearTiling = LinearTiling | 'naive';

export const anyConv = (tiling: AnyConvTiling, args: ConvArgs): Dispatch =>
  tiling === 'naive' ? convNaive(args) : conv(tiling, args);

export const anyMaskedConv = (tiling: AnyMaskedTiling, args: MaskedConvArgs): Dispatch =>
  tiling === 'naive' ? maskedConvNaive(args) : maskedConv(tiling, args);

export const anyLinear = (tiling: AnyLinearTiling, args: LinearArgs): Dispatch[] =>
  tiling === 'naive' ? [linearNaive(args)] : linear(tiling, args);

/** Numbers that its sums over parts of K take. */
export const anyPartialSums = (
  tiling: AnyLinearTiling,
  sizes: Parameters<typeof partialSums>[1],
): number => (tiling === 'naive' ? 0 : partialSums(tiling, sizes));
