import { type ConvShape, type ConvVariant, defineConv, TILED } from './conv_kernel';
import code from './conv_workgroup.wgsl?raw';
import { chooseGemmTile, type GemmTile } from './gemm_tile';
import { ceilDiv } from './kernel';

const kernels = defineConv('conv_workgroup', code, TILED);

/** 8 rows output channels x 2 cols quads of pixels; the last is for layers with few channels. */
export const CONV_TILES: readonly GemmTile[] = [
  { rows: 16, cols: 16 },
  { rows: 8, cols: 16 },
  { rows: 16, cols: 8 },
  { rows: 8, cols: 8 },
  { rows: 4, cols: 16 },
];

/** Quads of 2x2 pixels of a batch; an odd last row or column has quads of its own. */
function quadsOf({ height, width }: ConvShape, batch: number): number {
  return batch * ceilDiv(height, 2) * ceilDiv(width, 2);
}

export function chooseConvTile(shape: ConvShape, batch: number): GemmTile {
  return chooseGemmTile(CONV_TILES, shape.outChannels, 4 * quadsOf(shape, batch));
}

/** More would not fit a grid in x; the rest goes on in z. */
const MAX_ACROSS = 65535;

/** Implicit GEMM in tiles of workgroup memory: for GPUs. */
export function convInTiles(tileOf: (shape: ConvShape, batch: number) => GemmTile): ConvVariant {
  return {
    kernels,
    workgroups: (shape, batch) => {
      const { rows, cols } = tileOf(shape, batch);
      const across = ceilDiv(quadsOf(shape, batch), 2 * cols);
      const layers = Math.max(1, ceilDiv(across, MAX_ACROSS));
      return [ceilDiv(across, layers), ceilDiv(shape.outChannels, 8 * rows), layers];
    },
    tile: tileOf,
  };
}

export const convWorkgroup: ConvVariant = convInTiles(chooseConvTile);
