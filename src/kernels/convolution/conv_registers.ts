import { type WorkgroupRule, workgroupsOver } from '../../gpu/workgroups';
import { ceilDiv } from '../../numbers/padding';
import { family } from '../family';
import { tileGrid } from '../shared/tile_grid';
import type { VARIANTS } from '../variants';
import type { ConvShape, MaskedConv, PlainConv } from './conv_kernel';
import source from './conv_registers.wgsl';

/* No workgroup memory: for software adapters. One invocation computes 8 channels of a patch. */

const kernels = family<typeof VARIANTS.conv_registers>(source);

/** A patch is 2 rows x 14 columns; a batch's are counted image by image, row by row. */
export const PATCH = { height: 2, width: 14 } as const;

/** 16 of a patch's blocks of 8 output channels are a workgroup. */
const patchRule = ({ outChannels }: Pick<ConvShape, 'outChannels'>): WorkgroupRule => ({
  together: 1,
  items: ceilDiv(outChannels, 8),
  size: 16,
  y: 1,
  z: 1,
});

export const convRegisters: PlainConv = {
  kernel: (weights, ends) => kernels.pick({ pixels: 'plain', places: 'all', ends, weights }),
  cover: (label, shape, batch) => {
    const { down, across } = tileGrid(shape, PATCH);
    const places = batch * down * across;
    return { values: { places }, workgroups: workgroupsOver(label, patchRule(shape), places) };
  },
};

export const maskedConvRegisters: MaskedConv = {
  kernel: (variant) => kernels.pick({ pixels: 'masked', ...variant }),
  patch: () => PATCH,
  rule: patchRule,
};
