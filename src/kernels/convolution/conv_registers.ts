import { ceilDiv } from '../../numbers/padding';
import { type ConvVariant, defineConv, GENERAL } from './conv_kernel';
import code from './conv_registers.wgsl?raw';

/** One invocation 2 rows x 14 columns x 8 channels, no workgroup memory: for software adapters. */
export const convRegisters: ConvVariant = {
  kernels: defineConv('conv_registers', code, GENERAL),
  workgroups: (shape, batch) => {
    const patches = ceilDiv(shape.height, 2) * ceilDiv(shape.width, 14);
    return [ceilDiv(batch * patches * ceilDiv(shape.outChannels, 8), 16), 1, 1];
  },
};
