import type { GridRule } from '../../gpu/kernel';
import { ceilDiv } from '../../numbers/padding';
import { family } from '../family';
import type { VARIANTS } from '../variants';
import type { ConvShape } from './conv_kernel';
import source from './masked_conv_registers.wgsl';

export const maskedConvRegisters = family<typeof VARIANTS.masked_conv_registers>(source);

/** A patch is 2 rows x 14 columns; a batch's are counted image by image, row by row. */
export const PATCH = { height: 2, width: 14 } as const;

/** 16 of a patch's blocks of 8 output channels are a workgroup. */
export const patchRule = ({ outChannels }: Pick<ConvShape, 'outChannels'>): GridRule => ({
  together: 1,
  items: ceilDiv(outChannels, 8),
  size: 16,
  y: 1,
  z: 1,
});
