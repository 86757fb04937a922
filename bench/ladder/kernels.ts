import type { Dispatch, Slice } from '../../src/gpu/kernel';
import { workgroupsFor } from '../../src/gpu/workgroups';
import { only } from '../../src/kernels/family';
import { ceilDiv } from '../../src/numbers/padding';
import naive from './conv_1_naive.wgsl';
import channels from './conv_2_channels.wgsl';
import patch from './conv_3_patch.wgsl';
import winogradF2 from './conv_6_winograd_f2.wgsl';
import linearScalar from './linear_1_scalar.wgsl';
import winogradF2Filters from './winograd_f2_filters.wgsl';

/* The rungs of the ladder that are for study only; the others are the library's own kernels. */

export const conv1Naive = only(naive);
export const conv2Channels = only(channels);
export const conv3Patch = only(patch);
export const conv6WinogradF2 = only(winogradF2);
export const winogradF2FiltersKernel = only(winogradF2Filters);
export const linear1Scalar = only(linearScalar);

/** vec4f of four output channels in a row of packed weights. */
const pitchOf = (outChannels: number): number => 2 * ceilDiv(outChannels, 8);

/** Bytes of the filters of F(2x2, 3x3): 16 values where the weights have 9. */
export function winogradF2FilterBytes(inChannels: number, outChannels: number): number {
  return 16 * 16 * inChannels * pitchOf(outChannels);
}

/** Transforms packed f32 weights for {@link conv6WinogradF2}. */
export function winogradF2FiltersOf(
  label: string,
  inChannels: number,
  outChannels: number,
  weights: Slice,
  filters: Slice,
): Dispatch {
  const pitch = pitchOf(outChannels);
  return {
    kernel: winogradF2FiltersKernel,
    label,
    constants: {},
    params: { channels: inChannels, pitch },
    buffers: { weights, filters },
    workgroups: workgroupsFor(label, inChannels * pitch, 64),
  };
}
