import { type ConvShape, defineMaskedConvByPlaces, MASKED_SPECIALISED } from './conv_kernel';
import { acrossGrid } from './grid';
import { ceilDiv } from './kernel';
import code from './masked_conv_workgroup.wgsl?raw';

const INVOCATIONS = 128;

/** Blocks of 8 output channels in a workgroup's tile; the rest of its invocations are pixel quads. */
function channelGroups(outChannels: number): number {
  if (outChannels > 32) return 8;
  return outChannels > 16 ? 4 : 2;
}

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
  const [x, z] = acrossGrid(patches);
  return [x, ceilDiv(shape.outChannels, 8 * groups), z];
}
