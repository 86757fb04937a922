import type { ConvTiling, MaskedTiling } from '../kernels/convolution/conv';
import type { ConvShape } from '../kernels/convolution/conv_kernel';
import type { TileChoice } from '../kernels/shared/gemm_tile';
import { filterBytes, type TransformedMethod } from '../kernels/winograd/transformed';
import { outStride, type WinogradMethod } from '../kernels/winograd/winograd';
import {
  FUSED_4X4_INVOCATIONS,
  FUSED_4X4_STORAGE,
  FUSED_INVOCATIONS,
  FUSED_STORAGE,
  HALF_BLOCK,
  type Sides,
} from '../kernels/winograd/winograd_fused';
import { type MatrixUnits, quadsFit } from '../kernels/winograd/winograd_product';
import { type Precision, type StoredDtype, storedAs } from '../numbers/dtypes';
import { roundUp } from '../numbers/padding';

/*
 * Which way a convolution is computed where nothing was measured: a pure function of its shape, of what is known of
 * the device, and of the precision asked for. Only compile() asks.
 */

export type { ConvTiling };

/** One way to compute a convolution, with the tile of what goes by workgroups. Plain data. */
export type ConvMethod =
  | ({ readonly kind: 'direct'; readonly tiling: ConvTiling } & TileChoice)
  | TransformedMethod;

/** What the choice rests on, besides the shape. */
export interface ConvDevice {
  /** True for a software adapter. */
  readonly isFallback: boolean;
  /** Of a workgroup. Default: what WebGPU's core has, 256. */
  readonly maxInvocations?: number | undefined;
  /** Bytes of its memory. Default: what every device has, 16 KiB. */
  readonly maxStorage?: number | undefined;
  /** Fours of invocations that its subgroups are; none without the feature `subgroups`, or where their size varies. */
  readonly quads?: number | undefined;
  /** Of what Winograd stores between its kernels. Default f32. */
  readonly precision?: Precision | undefined;
  /** Matrix units that the device has. */
  readonly units?: readonly MatrixUnits[] | undefined;
}

/** The sizes that a choice depends on; pooling and activation do not matter. */
export type ConvSizes = Pick<
  ConvShape,
  'inChannels' | 'outChannels' | 'height' | 'width' | 'kernel'
>;

export function sizesKey({ inChannels, outChannels, height, width, kernel }: ConvSizes): string {
  return `${inChannels}>${outChannels} ${height}x${width} k${kernel}`;
}

/** maxStorageBufferBindingSize of every WebGPU device: 128 MiB. */
const MAX_FILTER_BYTES = 128 * 1024 * 1024;

/** Whether Winograd can compute it at all: 3x3, with filters that any device can bind. */
export function allowsWinograd(
  shape: Pick<ConvShape, 'inChannels' | 'outChannels' | 'kernel'>,
  method: TransformedMethod,
): boolean {
  return shape.kernel === 3 && filterBytes(shape, method) <= MAX_FILTER_BYTES;
}

/** One row of the table of what is chosen without a measurement on the device. */
interface Rule {
  readonly isFallback: boolean;
  readonly precision: StoredDtype;
  readonly method: WinogradMethod;
  /** Of a method that not every shape or device allows. Default: always. */
  readonly allows?: (shape: ConvSizes, device: ConvDevice) => boolean;
  /** Whether there are channels enough to pay for the transforms. */
  readonly pays: (inChannels: number, outChannels: number) => boolean;
}

/**
 * The table. Rows for GPUs rest on counting: no GPU was at hand. docs/gpu-kernels.md has the arithmetic.
 */
const RULES: readonly Rule[] = [
  // SwiftShader, 2 cores: the products of 64 to 64 channels at 224x224 in 117 ms, in registers 178 ms; of 512 to 512 at
  // 28x28 in 115 ms, 201 ms.
  {
    isFallback: true,
    precision: 'f32',
    method: { precision: 'f32', product: 'quads' },
    allows: allowsQuads,
    pays: (inChannels) => inChannels >= 8,
  },
  // SwiftShader, 2 cores: 64 to 64 channels at 224x224 in 275 ms, direct in registers 925 ms (4.0 GFLOP/s).
  {
    isFallback: true,
    precision: 'f32',
    method: { precision: 'f32', product: 'registers' },
    pays: (inChannels) => inChannels >= 8,
  },
  // As for f32; software adapters gain nothing by f16, it is there to be tested.
  {
    isFallback: true,
    precision: 'f16',
    method: { precision: 'f16', product: 'registers' },
    pays: (inChannels) => inChannels >= 8,
  },
  // Counting, for 67 TFLOP/s and 3.35 TB/s.
  {
    isFallback: false,
    precision: 'f32',
    method: { precision: 'f32', product: 'workgroup' },
    // 13.5 C O FLOP fewer a pixel for 18 (C + O) bytes more: at 20 FLOP a byte and half of peak, C O / (C + O) > 13.
    pays: (inChannels, outChannels) => pairedChannels(inChannels, outChannels) >= 24,
  },
  // Counting: half the bytes of f32.
  {
    isFallback: false,
    precision: 'f16',
    method: { precision: 'f16', product: 'workgroup' },
    pays: (inChannels, outChannels) => pairedChannels(inChannels, outChannels) >= 12,
  },
];

/** C O / (C + O): products for each value that goes through memory. */
function pairedChannels(inChannels: number, outChannels: number): number {
  return (inChannels * outChannels) / (inChannels + outChannels);
}

/** The way to compute a convolution that nothing was measured of: as the table says, or in one kernel. */
export function chooseConv(shape: ConvSizes, device: ConvDevice): ConvMethod {
  const { inChannels, outChannels } = shape;
  const precision = storedAs(device.precision ?? 'f32');
  if (
    allowsHalfProducts(device) &&
    halfProductsPay(shape) &&
    allowsWinograd(shape, HALF_PRODUCTS)
  ) {
    return HALF_PRODUCTS;
  }
  const onChip = { kind: 'fused4x4', precision } as const;
  if (allowsFused4x4(device) && fused4x4Pays(shape) && allowsWinograd(shape, onChip)) {
    return onChip;
  }
  const [sides] = fusedSides(device);
  if (sides !== undefined && fusedPays(shape, precision)) {
    const fused = { kind: 'fused', precision, sides } as const;
    if (allowsWinograd(shape, fused)) return fused;
  }
  const rule = RULES.find(
    (row) =>
      row.isFallback === device.isFallback &&
      row.precision === precision &&
      (row.allows?.(shape, device) ?? true),
  );
  const tiling = productInQuadsPays(shape, device) ? 'quads' : chooseConvTiling(device);
  const winograd = rule && ({ kind: 'winograd', ...rule.method } as const);
  return winograd && rule.pays(inChannels, outChannels) && allowsWinograd(shape, winograd)
    ? { ...winograd, ...sizesOf(winograd.product, device) }
    : { kind: 'direct', tiling, ...sizesOf(tiling, device) };
}

/**
 * Steps of its sum that F(2x2) in one kernel can hold on a device; none on a software adapter. With one, workgroups of
 * 16 KiB, more of them fit a core; with two half of the barriers are left, and a few more instructions (compiled for AMD's
 * GPUs, 369 a step instead of 354): a tuning finds out.
 */
export function fusedSides({
  isFallback,
  maxInvocations = FUSED_INVOCATIONS,
  maxStorage = FUSED_STORAGE,
}: ConvDevice): readonly Sides[] {
  if (isFallback || maxInvocations < FUSED_INVOCATIONS) return [];
  return ([1, 2] as const).filter((sides) => sides * FUSED_STORAGE <= maxStorage);
}

/** F(2x2) in one kernel with products in f16: a workgroup's 16 KiB hold two steps of half the bytes. */
export const HALF_PRODUCTS = {
  kind: 'fused',
  precision: 'f16',
  sides: 1,
  products: 'f16',
} as const satisfies ConvMethod;

/** Whether products in f16 are asked for, and a device can compute F(2x2) in one kernel. */
export function allowsHalfProducts(device: ConvDevice): boolean {
  return device.precision === 'f16-products' && fusedSides(device).length > 0;
}

/** Whether a device can compute F(4x4) in one kernel: a GPU with workgroups larger than WebGPU's core has. */
export function allowsFused4x4({
  isFallback,
  maxInvocations = FUSED_INVOCATIONS,
  maxStorage = FUSED_STORAGE,
}: ConvDevice): boolean {
  return !isFallback && maxInvocations >= FUSED_4X4_INVOCATIONS && maxStorage >= FUSED_4X4_STORAGE;
}

/** What a GPU computes while it moves one byte, at least: an H100 67 TFLOP/s beside 3.35 TB/s, a laptop twice that. */
const FLOP_PER_BYTE = 20;

/**
 * Whether F(2x2) in one kernel is to be taken on a GPU that nothing is known of, by counting for each pixel:
 * C O multiply-adds are 18 FLOP by the definition, 8 by F(2x2) and 4.5 by F(4x4), which moves V and M, too, 18 (C + O)
 * bytes in f32. F(2x2) computes for channels that pad its own, and needs some to pay for transforms and its end.
 */
export function fusedPays(
  { inChannels, outChannels }: Pick<ConvSizes, 'inChannels' | 'outChannels'>,
  precision: StoredDtype,
): boolean {
  const products = inChannels * outChannels;
  const fused = 8 * roundUp(inChannels, 4) * roundUp(outChannels, 32);
  const moved = (precision === 'f16' ? 9 : 18) * (inChannels + outChannels);
  return (
    fused < mostOfOneKernel(inChannels, outChannels) &&
    fused < 4.5 * products + FLOP_PER_BYTE * moved
  );
}

/**
 * Whether products in f16 are to be taken where they are asked for: wherever padding leaves F(2x2), which goes by 16
 * channels then, fewer multiply-adds than the definition has.
 */
export function halfProductsPay({
  inChannels,
  outChannels,
}: Pick<ConvSizes, 'inChannels' | 'outChannels'>): boolean {
  const fused = 8 * roundUp(inChannels, HALF_BLOCK) * roundUp(outChannels, 32);
  return fused < mostOfOneKernel(inChannels, outChannels);
}

/** FLOP a pixel below which one kernel is worth its transforms: 0.75 of the definition's, of channels enough. */
function mostOfOneKernel(inChannels: number, outChannels: number): number {
  return inChannels < 16 ? 0 : 0.75 * 18 * inChannels * outChannels;
}

/**
 * Whether F(4x4) in one kernel is to be taken where a device allows it: by counting, wherever padding leaves it fewer
 * multiply-adds than the definition and F(2x2) have, which moves as little. F(4x4) in three kernels computes the same and moves
 * V and M, too. It needs some channels to pay for transforms and its end.
 */
export function fused4x4Pays({
  inChannels,
  outChannels,
  height,
  width,
}: Pick<ConvSizes, 'inChannels' | 'outChannels' | 'height' | 'width'>): boolean {
  // Of whole tiles, for each pixel; a ninth more by the input transform.
  const tiles = (roundUp(height, 4) * roundUp(width, 4)) / (height * width);
  const fused = 5 * tiles * roundUp(inChannels, 3) * roundUp(outChannels, 32);
  return fused < mostOfOneKernel(inChannels, outChannels);
}

/** Whether a convolution is a matrix product that quads share: 1x1, of more channels than one of the four has. */
export function allowsProductInQuads(shape: ConvSizes, device: ConvDevice): boolean {
  const { isFallback, quads = 0 } = device;
  return isFallback && quads > 0 && shape.kernel === 1 && shape.outChannels > 8;
}

/**
 * Whether it is quicker so. SwiftShader, 2 cores: 512 to 512 channels at 14x14 in 26 ms, by patches in registers 67 ms; 64 to
 * 128 at 56x56 in 16 ms, 32 ms; 8 to 16 at 112x112, which are half of a quad's 32, in 2.5 ms, 1.7 ms.
 */
function productInQuadsPays(shape: ConvSizes, device: ConvDevice): boolean {
  return allowsProductInQuads(shape, device) && shape.outChannels > 16;
}

export function allowsQuads(shape: ConvSizes, { quads = 0 }: ConvDevice): boolean {
  return quads > 0 && quadsFit({ channels: shape.inChannels, outStride: outStride(shape) });
}

/** What a kernel has to know of the device to take sizes that suit it. */
function sizesOf(
  kernel: ConvTiling | WinogradMethod['product'],
  { quads, maxInvocations }: ConvDevice,
): Pick<WinogradMethod, 'quads' | 'maxInvocations'> {
  if (kernel === 'quads') return { quads };
  return kernel === 'workgroup' ? { maxInvocations } : {};
}

/** Whether exact skipping can list a method's tiles. */
export function listsTiles(method: ConvMethod): boolean {
  return method.kind !== 'direct';
}

/**
 * The tiling of a direct convolution. Workgroup memory and barriers are what a GPU needs and what a software
 * adapter is slowest at: SwiftShader computes a matrix product in tiles of workgroup memory at 0.35 to
 * 0.6 GFLOP/s and in registers alone at 3 to 5 (2 cores).
 */
export function chooseConvTiling({ isFallback }: Pick<ConvDevice, 'isFallback'>): MaskedTiling {
  return isFallback ? 'registers' : 'workgroup';
}
