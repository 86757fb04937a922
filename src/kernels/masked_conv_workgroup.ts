import { type ConvVariant, defineMaskedConv, MASKED_SPECIALISED } from './conv_kernel';
import { convWorkgroup } from './conv_workgroup';
import code from './masked_conv_workgroup.wgsl?raw';

/** Implicit GEMM in tiles of workgroup memory, the mask evaluated once a tile: for GPUs. */
export const maskedConvWorkgroup: ConvVariant = {
  kernels: defineMaskedConv('masked_conv_workgroup', code, MASKED_SPECIALISED),
  workgroups: convWorkgroup.workgroups,
};
