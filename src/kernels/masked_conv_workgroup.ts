import { type ConvShape, defineMaskedConvByPlaces, MASKED_SPECIALISED } from './conv_kernel';
import { channelGroups } from './conv_workgroup';
import { MAX_WORKGROUPS } from './grid';
import { ceilDiv } from './kernel';
import code from './masked_conv_workgroup.wgsl?raw';

const INVOCATIONS = 128;

/** Implicit GEMM in tiles of workgroup memory, the mask evaluated once a tile: for GPUs. */
export const maskedConvWorkgroupKernels = defineMaskedConvByPlaces(
  'masked_conv_workgroup',
  code,
  MASKED_SPECIALISED,
);

/** Pixels of a workgroup's patch. */
export function maskedPatch({ outChannels }: Pick<ConvShape, 'outChannels'>): {
  readonly height: number;
  readonly width: number;
} {
  const quads = INVOCATIONS / channelGroups(outChannels);
  const wide = quads > 16 ? 8 : 4;
  return { height: (2 * quads) / wide, width: 2 * wide };
}

/** Workgroups for so many patches. */
export function maskedPatchGrid(shape: ConvShape, patches: number): [number, number, number] {
  const groups = channelGroups(shape.outChannels);
  const z = Math.max(1, ceilDiv(patches, MAX_WORKGROUPS));
  return [ceilDiv(patches, z), ceilDiv(shape.outChannels, 8 * groups), z];
}
