import type { Dispatch } from '../../src/gpu/kernel';
import { checkedWorkgroups, workgroupsFor } from '../../src/gpu/workgroups';
import type { ConvTiling, MaskedTiling } from '../../src/kernels/convolution/conv';
import {
  type ConvArgs,
  conv,
  type MaskedConvArgs,
  maskedConv,
} from '../../src/kernels/convolution/conv';
import { type ConvShape, convValues, outputSize } from '../../src/kernels/convolution/conv_kernel';
import { family, only } from '../../src/kernels/family';
import { type LinearArgs, type LinearTiling, linear } from '../../src/kernels/linear/linear';
import type { MapRangesArgs } from '../../src/kernels/maps/map_ranges';
import { interpolationConstants } from '../../src/kernels/shared/interpolation';
import { ceilDiv } from '../../src/numbers/padding';
import convSource from './conv_naive.wgsl';
import linearSource from './linear_naive.wgsl';
import mapRangesSource from './map_ranges_naive.wgsl';
import maskedConvSource from './masked_conv_naive.wgsl';
import type { NAIVE_VARIANTS } from './variants';

/*
 * The plainest kernels, one invocation an output element: second oracle of the tests and baseline of the benchmarks.
 * They take what the library's own take, and are no part of it.
 */

const convKernels = family<typeof NAIVE_VARIANTS.conv_naive>(convSource);
const maskedConvKernels = family<typeof NAIVE_VARIANTS.masked_conv_naive>(maskedConvSource);
const linearKernels = family<typeof NAIVE_VARIANTS.linear_naive>(linearSource);
const mapRangesKernel = only(mapRangesSource);

function workgroups(label: string, shape: ConvShape, batch: number): [number, number, number] {
  const { height, width } = outputSize(shape);
  return checkedWorkgroups(label, [ceilDiv(height * width, 64), shape.outChannels, batch]);
}

export function convNaive({ label, shape, dtype, batch, ...args }: ConvArgs): Dispatch {
  const { input, weights, bias, output } = args;
  return {
    ...convValues(convKernels.pick({ weights: dtype }), shape, {}),
    label,
    buffers: { input, weights, bias, output },
    workgroups: workgroups(label, shape, batch),
  };
}

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
    workgroups: workgroups(label, shape, batch),
  };
}

export function linearNaive(args: LinearArgs): Dispatch {
  const { label, dtype, batch, shardOutputs, input, weights, affine, output } = args;
  return {
    kernel: linearKernels.pick({ weights: dtype }),
    label,
    constants: { IN_FEATURES: args.inFeatures, OUT_FEATURES: args.outFeatures },
    params: {
      batch,
      first_output: args.firstOutput,
      shard_outputs: shardOutputs,
      activation: args.activation,
    },
    buffers: { input, weights, affine, output },
    workgroups: checkedWorkgroups(label, [ceilDiv(shardOutputs, 64), batch, 1]),
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

export const anyLinear = (tiling: AnyLinearTiling, args: LinearArgs): Dispatch =>
  tiling === 'naive' ? linearNaive(args) : linear(tiling, args);
