import { type ConvVariant, defineMaskedConv, MASKED_SPECIALISED } from './conv_kernel';
import { convNaive } from './conv_naive';
import code from './masked_conv_naive.wgsl?raw';

/** One invocation an output element, which evaluates the mask anew for every tap. */
export const maskedConvNaive: ConvVariant = {
  kernels: defineMaskedConv('masked_conv_naive', code, MASKED_SPECIALISED),
  workgroups: convNaive.workgroups,
};
