import type { GridRule } from '../../gpu/kernel';
import { ceilDiv } from '../../numbers/padding';
import { type ConvShape, defineMaskedConvByPlaces, MASKED_GENERAL } from './conv_kernel';
import code from './masked_conv_registers.wgsl?raw';

export const maskedConvRegistersKernels = defineMaskedConvByPlaces(
  'masked_conv_registers',
  code,
  MASKED_GENERAL,
);

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
