import { type ConvVariant, defineMaskedConv, MASKED_SPECIALISED } from './conv_kernel';
import { ceilDiv } from './kernel';
import code from './masked_conv_workgroup.wgsl?raw';

const INVOCATIONS = 128;

/** Blocks of 8 output channels in a workgroup's tile; the rest of its invocations are pixel quads. */
function channelGroups(outChannels: number): number {
  if (outChannels > 32) return 8;
  return outChannels > 16 ? 4 : 2;
}

/** Implicit GEMM in tiles of workgroup memory, the mask evaluated once a tile: for GPUs. */
export const maskedConvWorkgroup: ConvVariant = {
  kernels: defineMaskedConv('masked_conv_workgroup', code, MASKED_SPECIALISED),
  workgroups: (shape, batch) => {
    const groups = channelGroups(shape.outChannels);
    const quads = ceilDiv(shape.height, 2) * ceilDiv(shape.width, 2);
    return [ceilDiv(quads, INVOCATIONS / groups), ceilDiv(shape.outChannels, 8 * groups), batch];
  },
};
