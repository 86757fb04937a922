import { defineKernel, type GridRule, type Kernel } from '../../gpu/kernel';
import { MORE } from '../../gpu/workgroups';
import type { Precision } from '../../numbers/dtypes';
import { ceilDiv } from '../../numbers/padding';
import { chooseGemmTile, type GemmTile, PRODUCT_TILES } from '../shared/gemm_tile';
import { byPrecision } from '../shared/stored';
import storedF16 from '../shared/stored_f16.wgsl?raw';
import registersCode from './winograd_product.wgsl?raw';
import matrixCode from './winograd_product_matrix.wgsl?raw';
import quadsCode from './winograd_product_quads.wgsl?raw';
import workgroupCode from './winograd_product_workgroup.wgsl?raw';

/*
 * The matrix products of Winograd: in registers, alone or shared by four invocations, in workgroup memory, or by
 * matrix units.
 */

const declare = (name: string, code: string, overrides: readonly string[] = []): Kernel =>
  defineKernel({
    name,
    code,
    params: ['channels', 'out_stride', 'stride'].map((param) => ({ name: param, type: 'u32' })),
    storage: [
      { name: 'filters', access: 'read' },
      { name: 'transformed', access: 'read' },
      { name: 'product', access: 'read_write' },
    ],
    overrides,
  });

export const winogradProductKernels = byPrecision(({ ending, prefix }) =>
  declare(`winograd_product${ending}`, `${prefix}\n${registersCode}`),
);

export const winogradProductQuadsKernel = declare('winograd_product_quads', quadsCode, ['LANES']);

export const winogradProductWorkgroupKernels = byPrecision(({ ending, prefix }) =>
  declare(`winograd_product_workgroup${ending}`, `${prefix}\n${workgroupCode}`, ['ROWS', 'COLS']),
);

/** How one product kernel covers a product. */
export interface ProductPlan {
  readonly kernel: Kernel;
  readonly constants: Readonly<Record<string, number>>;
  /** From the tiles: workgroups of one of the products; the products are z. */
  readonly rule: Omit<GridRule, 'z'>;
}

export function productInRegisters(precision: Precision, outStride: number): ProductPlan {
  return {
    kernel: winogradProductKernels[precision],
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

/** @param quads of a subgroup */
export function productInQuads(quads: number, outStride: number): ProductPlan {
  return {
    kernel: winogradProductQuadsKernel,
    constants: { LANES: 4 * quads },
    rule: { together: 16, items: outStride / 32, size: quads, y: MORE },
  };
}

/** The tile for so many output channels and Winograd tiles. */
export function chooseProductTile(outStride: number, stride: number, products: number): GemmTile {
  return chooseGemmTile(PRODUCT_TILES, outStride, stride, products);
}

export function productInWorkgroups(
  precision: Precision,
  { rows, cols }: GemmTile,
  outStride: number,
): ProductPlan {
  return {
    kernel: winogradProductWorkgroupKernels[precision],
    constants: { ROWS: rows, COLS: cols },
    rule: { together: 8 * cols, items: 1, size: 1, y: ceilDiv(outStride, 8 * rows) },
  };
}

/** Matrix units as a device lists them (GPUAdapterInfo.subgroupMatrixConfigs): f16 times f16, summed in f32. */
export interface MatrixUnits {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Of the device: workgroups must be multiples of it. */
  readonly subgroupMaxSize: number;
}

/** The feature, and what the kernel must say before anything else. */
export const MATRIX_FEATURE = 'chromium-experimental-subgroup-matrix';
const DIRECTIVES = `enable chromium_experimental_subgroup_matrix;
enable subgroups;
diagnostic(off, chromium.subgroup_matrix_uniformity);
`;

/**
 * The product by units of one size. Which loop round a subgroup runs is the same for all of its invocations, which
 * the compiler cannot see: hence the diagnostic.
 */
export function winogradProductMatrixKernel({ m, n, k }: MatrixUnits): Kernel {
  const types = `
alias Left = subgroup_matrix_left<f16, ${k}, ${m}>;
alias Right = subgroup_matrix_right<f16, ${n}, ${k}>;
alias Sum = subgroup_matrix_result<f32, ${n}, ${m}>;
const UNIT_M = ${m}u;
const UNIT_N = ${n}u;
const UNIT_K = ${k}u;
`;
  const code = `${DIRECTIVES}${storedF16}\n${types}\n${matrixCode}`;
  return declare(`winograd_product_matrix_${m}x${n}x${k}`, code, ['LANES']);
}

/** Outputs and tiles of a workgroup. */
const MATRIX_TILE = 64;

/** Invocations of a workgroup: up to four subgroups of the largest size, within WebGPU's default limit of 256. */
export function matrixLanes({ subgroupMaxSize }: Pick<MatrixUnits, 'subgroupMaxSize'>): number {
  return subgroupMaxSize * Math.min(4, Math.floor(256 / subgroupMaxSize));
}

/** Whether units of this size divide the matrices, and a workgroup's tile, without a rest. */
export function matrixFits(
  units: MatrixUnits,
  sizes: { readonly channels: number; readonly outStride: number },
): boolean {
  const { m, n, k, subgroupMaxSize } = units;
  const divides = (unit: number, size: number): boolean => unit > 0 && size % unit === 0;
  return (
    divides(2 * m, MATRIX_TILE) &&
    divides(2 * n, MATRIX_TILE) &&
    divides(m, sizes.outStride) &&
    divides(k, sizes.channels) &&
    // Strides are multiples of 16.
    divides(n, 16) &&
    subgroupMaxSize <= 256
  );
}

export function productByMatrix(units: MatrixUnits, outStride: number): ProductPlan {
  return {
    kernel: winogradProductMatrixKernel(units),
    constants: { LANES: matrixLanes(units) },
    rule: { together: MATRIX_TILE, items: 1, size: 1, y: ceilDiv(outStride, MATRIX_TILE) },
  };
}
