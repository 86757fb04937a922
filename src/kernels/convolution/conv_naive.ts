import { ceilDiv } from '../../numbers/padding';
import { type ConvVariant, defineConv, outputSize, SPECIALISED } from './conv_kernel';
import code from './conv_naive.wgsl?raw';

/** One invocation an output element. */
export const convNaive: ConvVariant = {
  kernels: defineConv('conv_naive', code, SPECIALISED),
  workgroups: (shape, batch) => {
    const { height, width } = outputSize(shape);
    return [ceilDiv(height * width, 64), shape.outChannels, batch];
  },
};
