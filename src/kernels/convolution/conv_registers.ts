import { ceilDiv } from '../../numbers/padding';
import { family } from '../family';
import type { VARIANTS } from '../variants';
import type { ConvVariant } from './conv_kernel';
import source from './conv_registers.wgsl';

const kernels = family<typeof VARIANTS.conv_registers>(source);

/** One invocation 2 rows x 14 columns x 8 channels, no workgroup memory: for software adapters. */
export const convRegisters: ConvVariant = {
  kernel: (weights) => kernels.pick({ weights }),
  workgroups: (shape, batch) => {
    const patches = ceilDiv(shape.height, 2) * ceilDiv(shape.width, 14);
    return [ceilDiv(batch * patches * ceilDiv(shape.outChannels, 8), 16), 1, 1];
  },
};
