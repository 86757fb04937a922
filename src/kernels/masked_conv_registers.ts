import {
  type ConvShape,
  type ConvVariant,
  defineMaskedConvByPlaces,
  MASKED_GENERAL,
} from './conv_kernel';
import { convRegisters } from './conv_registers';
import { ceilDiv } from './kernel';
import code from './masked_conv_registers.wgsl?raw';

const kernels = defineMaskedConvByPlaces('masked_conv_registers', code, MASKED_GENERAL);

/** As {@link convRegisters}, with the mask evaluated once an invocation. */
export const maskedConvRegisters: ConvVariant = {
  kernels: kernels.all,
  workgroups: convRegisters.workgroups,
};

/** The same over listed patches only. */
export const maskedConvRegistersListed = kernels.listed;

/** A patch is 2 rows x 14 columns; a batch's are counted image by image, row by row. */
export const PATCH = { height: 2, width: 14 } as const;

/** Workgroups for so many patches. */
export function patchWorkgroups(shape: ConvShape, patches: number): [number, number, number] {
  return [ceilDiv(patches * ceilDiv(shape.outChannels, 8), 16), 1, 1];
}
