import { type Dispatch, defineKernel, type Param, type Slice } from '../../src/gpu/kernel';
import { gridOf } from '../../src/gpu/workgroups';
import { ceilDiv } from '../../src/numbers/padding';
import naive from './conv_1_naive.wgsl?raw';
import channels from './conv_2_channels.wgsl?raw';
import patch from './conv_3_patch.wgsl?raw';
import winogradF2 from './conv_6_winograd_f2.wgsl?raw';
import linearScalar from './linear_1_scalar.wgsl?raw';
import winogradF2Filters from './winograd_f2_filters.wgsl?raw';

/* The rungs of the ladder that are for study only; the others are the library's own kernels. */

const u32 = (name: string): Param => ({ name, type: 'u32' });
const slope: Param = { name: 'slope', type: 'f32' };

const defineRung = (name: string, code: string, weights = 'weights') =>
  defineKernel({
    name,
    code,
    params: [...['batch', 'in_channels', 'out_channels', 'height', 'width'].map(u32), slope],
    storage: [
      { name: 'input', access: 'read' },
      { name: weights, access: 'read' },
      { name: 'bias', access: 'read' },
      { name: 'output', access: 'read_write' },
    ],
  });

export const conv1Naive = defineRung('conv_1_naive', naive);
export const conv2Channels = defineRung('conv_2_channels', channels);
export const conv3Patch = defineRung('conv_3_patch', patch);
export const conv6WinogradF2 = defineRung('conv_6_winograd_f2', winogradF2, 'filters');

export const winogradF2FiltersKernel = defineKernel({
  name: 'winograd_f2_filters',
  code: winogradF2Filters,
  params: ['channels', 'pitch'].map(u32),
  storage: [
    { name: 'weights', access: 'read' },
    { name: 'filters', access: 'read_write' },
  ],
});

export const linear1Scalar = defineKernel({
  name: 'linear_1_scalar',
  code: linearScalar,
  params: [...['batch', 'in_features', 'out_features'].map(u32), slope],
  storage: [
    { name: 'input', access: 'read' },
    { name: 'weights', access: 'read' },
    { name: 'bias', access: 'read' },
    { name: 'output', access: 'read_write' },
  ],
});

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
    workgroups: gridOf(label, inChannels * pitch, 64),
  };
}
