import { type ConvVariant, defineMaskedConv, MASKED_GENERAL } from './conv_kernel';
import { convRegisters } from './conv_registers';
import code from './masked_conv_registers.wgsl?raw';

/** As {@link convRegisters}, with the mask evaluated once an invocation. */
export const maskedConvRegisters: ConvVariant = {
  kernels: defineMaskedConv('masked_conv_registers', code, MASKED_GENERAL),
  workgroups: convRegisters.workgroups,
};
