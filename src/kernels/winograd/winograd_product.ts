import type { Kernel } from '../../gpu/kernel';
import { MORE, type WorkgroupRule } from '../../gpu/workgroups';
import type { StoredDtype } from '../../numbers/dtypes';
import { ceilDiv } from '../../numbers/padding';
import { family, only } from '../family';
import { chooseGemmTile, type GemmTile, PRODUCT_TILES, tilesWithin } from '../shared/gemm_tile';
import type { VARIANTS } from '../variants';
import matrix from './winograd_product_matrix.wgsl';
import quads from './winograd_product_quads.wgsl';
import registers from './winograd_product_registers.wgsl';
import workgroup from './winograd_product_workgroup.wgsl';

/*
 * The matrix products of Winograd: in registers, alone or shared by four invocations, in workgroup memory, or by
 * matrix units.
 */

const inRegisters = family<typeof VARIANTS.winograd_product_registers>(registers);
const inQuads = only(quads);
const inWorkgroups = family<typeof VARIANTS.winograd_product_workgroup>(workgroup);
const byMatrix = only(matrix);

/** How one product kernel covers a product. */
export interface ProductPlan {
  readonly kernel: Kernel;
  readonly constants: Readonly<Record<string, number>>;
  /** From the tiles: workgroups of one of the products; the products are z. */
  readonly rule: Omit<WorkgroupRule, 'z'>;
}

export function productInRegisters(precision: StoredDtype, outStride: number): ProductPlan {
  return {
    kernel: inRegisters.pick({ stored: precision }),
    constants: {},
    rule: { together: 16, items: outStride / 8, size: 16, y: 1 },
  };
}

/** Whether the kernel that shares between invocations divides the matrices without a rest. */
export function quadsFit(sizes: {
  readonly channels: number;
  readonly outStride: number;
}): boolean {
  return sizes.channels % 4 === 0 && sizes.outStride % 32 === 0;
}

/** @param count of quads in a subgroup */
export function productInQuads(count: number, outStride: number): ProductPlan {
  return {
    kernel: inQuads,
    constants: { LANES: 4 * count },
    rule: { together: 16, items: outStride / 32, size: count, y: MORE },
  };
}

/** The tile for so many output channels and Winograd tiles. */
export function chooseProductTile(
  outStride: number,
  stride: number,
  products: number,
  maxInvocations?: number,
): GemmTile {
  const tiles = tilesWithin(PRODUCT_TILES, maxInvocations);
  return chooseGemmTile(tiles, outStride, stride, products);
}

export function productInWorkgroups(
  precision: StoredDtype,
  { rows, cols }: GemmTile,
  { channels, outStride }: { readonly channels: number; readonly outStride: number },
): ProductPlan {
  return {
    kernel: inWorkgroups.pick({ stored: precision }),
    constants: { ROWS: rows, COLS: cols, WHOLE: Number(channels % 8 === 0) },
    rule: { together: 8 * cols, items: 1, size: 1, y: ceilDiv(outStride, 8 * rows) },
  };
}

/** Matrix units as a device lists them (GPUAdapterInfo.subgroupMatrixConfigs): f16 times f16, summed in f32. */
export interface MatrixUnits {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Invocations of a workgroup: see {@link matrixLanes}. */
  readonly lanes: number;
}

/** The feature that the kernel needs. */
export const MATRIX_FEATURE = 'chromium-experimental-subgroup-matrix';

/** Outputs and tiles of a workgroup. */
const MATRIX_TILE = 64;

/**
 * Invocations of a workgroup: up to four subgroups of the largest size that the device has, since it must be a multiple
 * of that, and up to 256. 0 where not even one is allowed.
 */
export function matrixLanes(subgroupMaxSize: number, maxInvocations: number): number {
  const most = Math.min(256, maxInvocations);
  return subgroupMaxSize * Math.min(4, Math.floor(most / subgroupMaxSize));
}

/** Whether units of this size divide the matrices, and a workgroup's tile, without a rest. */
export function matrixFits(
  units: MatrixUnits,
  sizes: { readonly channels: number; readonly outStride: number },
): boolean {
  const { m, n, k, lanes } = units;
  const divides = (unit: number, size: number): boolean => unit > 0 && size % unit === 0;
  return (
    divides(2 * m, MATRIX_TILE) &&
    divides(2 * n, MATRIX_TILE) &&
    divides(m, sizes.outStride) &&
    divides(k, sizes.channels) &&
    // Strides are multiples of 16.
    divides(n, 16) &&
    lanes > 0
  );
}

export function productByMatrix(units: MatrixUnits, outStride: number): ProductPlan {
  const { m, n, k, lanes } = units;
  return {
    kernel: byMatrix,
    constants: { LANES: lanes, UNIT_M: m, UNIT_N: n, UNIT_K: k },
    rule: { together: MATRIX_TILE, items: 1, size: 1, y: ceilDiv(outStride, MATRIX_TILE) },
  };
}
