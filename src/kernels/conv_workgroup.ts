import { type ConvVariant, defineConv, SPECIALISED } from './conv_kernel';
import code from './conv_workgroup.wgsl?raw';
import { ceilDiv } from './kernel';

const INVOCATIONS = 128;

/** Blocks of 8 output channels in a workgroup's tile; the rest of its invocations are pixel quads. */
export function channelGroups(outChannels: number): number {
  if (outChannels > 32) return 8;
  return outChannels > 16 ? 4 : 2;
}

/** Implicit GEMM in tiles of workgroup memory: for GPUs. */
export const convWorkgroup: ConvVariant = {
  kernels: defineConv('conv_workgroup', code, SPECIALISED),
  workgroups: (shape, batch) => {
    const groups = channelGroups(shape.outChannels);
    const quads = ceilDiv(shape.height, 2) * ceilDiv(shape.width, 2);
    return [ceilDiv(quads, INVOCATIONS / groups), ceilDiv(shape.outChannels, 8 * groups), batch];
  },
};
