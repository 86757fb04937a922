import { type ConvShape, defineMaskedConvByPlaces, MASKED_GENERAL } from './conv_kernel';
import { ceilDiv } from './kernel';
import code from './masked_conv_registers.wgsl?raw';

export const maskedConvRegistersKernels = defineMaskedConvByPlaces(
  'masked_conv_registers',
  code,
  MASKED_GENERAL,
);

/** A patch is 2 rows x 14 columns; a batch's are counted image by image, row by row. */
export const PATCH = { height: 2, width: 14 } as const;

/** Workgroups for so many patches. */
export function patchWorkgroups(shape: ConvShape, patches: number): [number, number, number] {
  return [ceilDiv(patches * ceilDiv(shape.outChannels, 8), 16), 1, 1];
}
