import { checkedWorkgroups, foldedWorkgroups } from '../../gpu/workgroups';
import { ceilDiv } from '../../numbers/padding';
import { family } from '../family';
import { CONV_TILES, chooseGemmTile, type GemmTile, tilesWithin } from '../shared/gemm_tile';
import type { VARIANTS } from '../variants';
import type { ConvShape, PlainConv } from './conv_kernel';
import source from './conv_workgroup.wgsl';

const kernels = family<typeof VARIANTS.conv_workgroup>(source);

/** Quads of 2x2 pixels of a batch; an odd last row or column has quads of its own. */
function quadsOf({ height, width }: ConvShape, batch: number): number {
  return batch * ceilDiv(height, 2) * ceilDiv(width, 2);
}

export function chooseConvTile(shape: ConvShape, batch: number, maxInvocations?: number): GemmTile {
  const tiles = tilesWithin(CONV_TILES, maxInvocations);
  return chooseGemmTile(tiles, shape.outChannels, 4 * quadsOf(shape, batch));
}

/** Implicit GEMM in tiles of workgroup memory: for GPUs. */
export const convWorkgroup: PlainConv = {
  kernel: (weights) => kernels.pick({ weights }),
  cover: (label, shape, batch, { tile, maxInvocations }) => {
    const { rows, cols } = tile ?? chooseConvTile(shape, batch, maxInvocations);
    const [x, z] = foldedWorkgroups(ceilDiv(quadsOf(shape, batch), 2 * cols));
    const y = ceilDiv(shape.outChannels, 8 * rows);
    return { values: { batch, rows, cols }, workgroups: checkedWorkgroups(label, [x, y, z]) };
  },
};
