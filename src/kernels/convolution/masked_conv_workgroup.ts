import { MORE, type WorkgroupRule } from '../../gpu/workgroups';
import { ceilDiv } from '../../numbers/padding';
import { family } from '../family';
import type { VARIANTS } from '../variants';
import type { ConvShape, MaskedConv } from './conv_kernel';
import source from './masked_conv_workgroup.wgsl';

const INVOCATIONS = 128;

/** Blocks of 8 output channels in a workgroup's tile; the rest of its invocations are pixel quads. */
function channelGroups(outChannels: number): number {
  if (outChannels > 32) return 8;
  return outChannels > 16 ? 4 : 2;
}

const kernels = family<typeof VARIANTS.masked_conv_workgroup>(source);

/** Pixels of a workgroup's patch. */
function maskedPatch({ outChannels }: Pick<ConvShape, 'outChannels'>): {
  readonly height: number;
  readonly width: number;
} {
  const quads = INVOCATIONS / channelGroups(outChannels);
  const wide = quads > 16 ? 8 : 4;
  return { height: (2 * quads) / wide, width: 2 * wide };
}

/** A patch is a workgroup, and several where it has more output channels than one computes. */
const maskedPatchRule = ({ outChannels }: Pick<ConvShape, 'outChannels'>): WorkgroupRule => ({
  together: 1,
  items: 1,
  size: 1,
  y: ceilDiv(outChannels, 8 * channelGroups(outChannels)),
  z: MORE,
});

/** Implicit GEMM in tiles of workgroup memory, the mask evaluated once a tile: for GPUs. */
export const maskedConvWorkgroup: MaskedConv = {
  kernel: kernels.pick,
  patch: maskedPatch,
  rule: maskedPatchRule,
};
