import type { Dispatch, Slice } from '../../gpu/kernel';
import { MORE, workgroupsFor, workgroupsOver } from '../../gpu/workgroups';
import { type ConvDtype, STORED_BYTES, type StoredDtype } from '../../numbers/dtypes';
import { ceilDiv } from '../../numbers/padding';
import { family } from '../family';
import { type ConvEnds, type ConvShape, endValues } from '../shared/conv_shape';
import type { TileChoice } from '../shared/gemm_tile';
import { type Places, placesOf } from '../shared/places';
import type { VARIANTS } from '../variants';
import filtersSource from './winograd_filters.wgsl';
import inputSource from './winograd_input.wgsl';
import outputSource from './winograd_output.wgsl';
import {
  chooseProductTile,
  type MatrixUnits,
  productByMatrix,
  productInQuads,
  productInRegisters,
  productInWorkgroups,
  quadsFit,
} from './winograd_product';

/*
 * Winograd F(4x4, 3x3): 36 products for 16 outputs instead of 144. Three kernels: input transform, product, output
 * transform; and a fourth that transforms the filters first. Roundings in f32 are larger than a direct convolution's
 * (about 1e-5 of a layer's largest value), far below what a map shows. docs/gpu-kernels.md has the figures.
 */

/** One way to compute a convolution by Winograd; the tile is that of the product `workgroup`. */
export interface WinogradMethod extends TileChoice {
  readonly precision: StoredDtype;
  /**
   * In registers for software adapters: of one invocation, or shared by four (`quads`: needs the feature `subgroups`,
   * f32 and {@link quadsFit}). In tiles of workgroup memory or by matrix units for GPUs.
   */
  readonly product: 'registers' | 'quads' | 'workgroup' | 'matrix';
  /** Of `matrix`, which needs f16. */
  readonly units?: MatrixUnits | undefined;
}

/** What software adapters compute by, unless they have quads. */
export const IN_REGISTERS: WinogradMethod = { precision: 'f32', product: 'registers' };

const isForSoftware = ({ product }: Pick<WinogradMethod, 'product'>): boolean =>
  product === 'registers' || product === 'quads';

const filterTransforms = family<typeof VARIANTS.winograd_filters>(filtersSource);
const inputTransforms = family<typeof VARIANTS.winograd_input>(inputSource);
const outputTransforms = family<typeof VARIANTS.winograd_output>(outputSource);

/** Output channels as U and M have them: rounded up to 8. */
export const outStride = (shape: Pick<ConvShape, 'outChannels'>): number =>
  8 * ceilDiv(shape.outChannels, 8);

/** Products: places of a transformed tile. */
export const PRODUCTS = 36;

/** Outputs of a tile each way; a batch's tiles are counted image by image, row by row. */
export const TILE = 4;
export const WINOGRAD_TILE = { height: TILE, width: TILE } as const;

export function tilesOf(
  { height, width }: Pick<ConvShape, 'height' | 'width'>,
  batch: number,
): number {
  return batch * ceilDiv(height, TILE) * ceilDiv(width, TILE);
}

const MIB = 1024 * 1024;

/** Tiles that the product kernels in registers read in one go. */
const BLOCK = 16;

/** Rounded up to what every product kernel takes at once. */
const strideOf = (tiles: number): number => BLOCK * ceilDiv(tiles, BLOCK);

/**
 * Tiles that stand together in V and M, [products, stride / block, channels, block]: what one invocation reads, so
 * that it stands in a row, or all tiles, so that a workgroup's rows are long.
 */
const blockOf = (method: WinogradMethod, stride: number): number =>
  isForSoftware(method) ? BLOCK : stride;

/**
 * How V and M are cut. A convolution with more tiles than a slice has goes through them in several, so that the three
 * kernels hand each other what is still in a cache, and so that a batch is not limited by tensors that live for one
 * layer only.
 */
interface Slicing {
  /** Bytes that V, and that M, should take. */
  readonly bytes: number;
  /** What the product kernels take at once, at most: slices are multiples of it. */
  readonly step: number;
  /** Tiles of a slice at least, whatever their bytes: the product's filters are read once a slice. */
  readonly least: number;
}

export const SLICING: Readonly<Record<'software' | 'gpu', Slicing>> = {
  // SwiftShader, 2 cores, a pass of VGG-16: 1.13 s uncut, 1.10 in 16 MiB, 1.08 in 8, 4 or 1, of which a part is saved by
  // having less new memory filled with zeros.
  software: { bytes: 8 * MIB, step: BLOCK, least: 4 * BLOCK },
  // The caches of large GPUs have tens of MiB.
  gpu: { bytes: 16 * MIB, step: 128, least: 3 * 128 },
};

/** Tiles of a slice: all of them where they fit, else an even share. */
export function sliceOf(
  shape: Pick<ConvShape, 'inChannels' | 'outChannels'>,
  tiles: number,
  method: WinogradMethod,
): number {
  const { precision } = method;
  const { bytes, step, least } = SLICING[isForSoftware(method) ? 'software' : 'gpu'];
  const values = PRODUCTS * Math.max(shape.inChannels, outStride(shape));
  const fitting = Math.floor(bytes / (STORED_BYTES[precision] * values) / step);
  const slices = ceilDiv(tiles, Math.max(least, fitting * step));
  return slices <= 1 ? tiles : step * ceilDiv(ceilDiv(tiles, slices), step);
}

/**
 * Bytes of the two intermediate tensors, V and M, for so many tiles, those of a batch unless some are listed.
 */
export function winogradScratch(
  shape: ConvShape,
  batch: number,
  tiles?: number,
  method: WinogradMethod = IN_REGISTERS,
): { readonly transformed: number; readonly product: number } {
  const count = tiles ?? tilesOf(shape, batch);
  const slice = strideOf(sliceOf(shape, count, method));
  const column = STORED_BYTES[method.precision] * PRODUCTS * slice;
  return { transformed: column * shape.inChannels, product: column * outStride(shape) };
}

/** Bytes of the transformed filters: in f32 four times those of the weights in f32. */
export function winogradFilterBytes(
  shape: Pick<ConvShape, 'inChannels' | 'outChannels'>,
  { precision }: Pick<WinogradMethod, 'precision'> = IN_REGISTERS,
): number {
  return STORED_BYTES[precision] * PRODUCTS * shape.inChannels * outStride(shape);
}

export interface WinogradFiltersArgs {
  readonly label: string;
  readonly shape: Pick<ConvShape, 'inChannels' | 'outChannels'>;
  /** Of the weights; the filters are as `precision` stores them. */
  readonly dtype: ConvDtype;
  /** From `packConv`. */
  readonly weights: Slice;
  /** [products, inChannels, outChannels rounded up to 8], {@link winogradFilterBytes} */
  readonly filters: Slice;
  readonly precision: StoredDtype;
}

/**
 * Transforms a convolution's filters. Filters of f32 weights are worth keeping; those of f16 weights are
 * made anew for each use, or the model would stand in memory in f32 after all.
 */
export function winogradFilters(args: WinogradFiltersArgs): Dispatch {
  const { label, shape, dtype, precision, weights, filters } = args;
  const out_stride = outStride(shape);
  return {
    kernel: filterTransforms.pick({ stored: precision, weights: dtype }),
    label,
    constants: {},
    params: { channels: shape.inChannels, out_stride },
    buffers: { weights, filters },
    workgroups: workgroupsFor(label, shape.inChannels * (out_stride / 4), 64),
  };
}

export interface WinogradArgs extends ConvEnds {
  readonly label: string;
  readonly shape: ConvShape;
  readonly batch: number;
  /** [batch, inChannels, height, width] */
  readonly input: Slice;
  /** As {@link winogradFilters} leaves them. */
  readonly filters: Slice;
  /** Padded as `packConv` does. */
  readonly bias: Slice;
  /** Scratch of the sizes that {@link winogradScratch} says. */
  readonly transformed: Slice;
  readonly product: Slice;
  /** [batch, outChannels, height, width], or half of both when pooled. */
  readonly output: Slice;
  /** Compute these tiles, and leave the rest of the output. Default: all. */
  readonly places?: Places | undefined;
  /** Default: in f32, in registers. */
  readonly method?: WinogradMethod | undefined;
}

/** Convolution, bias, activation and optional pooling, as three dispatches a slice. */
export function winogradConv(args: WinogradArgs): Dispatch[] {
  const { shape, batch, places, method = IN_REGISTERS } = args;
  const tiles = places?.count ?? tilesOf(shape, batch);
  const slice = sliceOf(shape, tiles, method);
  const dispatches: Dispatch[] = [];
  for (let first = 0; first < tiles; first += slice) {
    dispatches.push(...convolveSlice(args, method, first, Math.min(slice, tiles - first)));
  }
  return dispatches;
}

function convolveSlice(
  args: WinogradArgs,
  method: WinogradMethod,
  first: number,
  tiles: number,
): Dispatch[] {
  const { label, shape, input, filters, bias, transformed, product, output, places } = args;
  const { inChannels, outChannels, height, width } = shape;
  const stride = strideOf(tiles);
  const block_tiles = blockOf(method, stride);
  const out_stride = outStride(shape);
  const invocations = (channels: number) =>
    workgroupsOver(
      label,
      { together: BLOCK, items: BLOCK * channels, size: 64, y: MORE, z: 1 },
      tiles,
    );
  const listed = places ? { places: places.list } : {};
  const variant = { stored: method.precision, places: placesOf(places) } as const;
  const { added: ADDED, curve: CURVE, bounded: BOUNDED, ...ends } = endValues(shape, args);
  return [
    {
      kernel: inputTransforms.pick(variant),
      label,
      constants: {},
      params: { first, tiles, channels: inChannels, height, width, stride, block_tiles },
      buffers: { input, transformed, ...listed },
      workgroups: invocations(inChannels),
    },
    winogradProduct({
      label,
      method,
      channels: inChannels,
      outStride: out_stride,
      count: tiles,
      filters,
      transformed,
      product,
    }),
    {
      kernel: outputTransforms.pick(variant),
      label,
      constants: {
        POOL: Number(shape.pool),
        ADDED,
        WHOLE: Number(height % WINOGRAD_TILE.height === 0 && width % WINOGRAD_TILE.width === 0),
        CURVE,
        BOUNDED,
      },
      params: {
        first,
        tiles,
        out_channels: outChannels,
        out_stride,
        height,
        width,
        stride,
        activation: shape.activation,
        block_tiles,
        ...ends,
      },
      // Something is bound where nothing is added.
      buffers: { product, bias, output, added: args.added?.slice ?? bias, ...listed },
      workgroups: invocations(out_stride),
    },
  ];
}

export interface ProductArgs {
  readonly label: string;
  readonly method: WinogradMethod;
  readonly channels: number;
  /** A multiple of 8. */
  readonly outStride: number;
  /** Tiles. */
  readonly count: number;
  /** U [products, channels, outStride] */
  readonly filters: Slice;
  /** V [products, stride / block, channels, block]: blocks of 16 for products in registers, else of all tiles */
  readonly transformed: Slice;
  /** M [products, stride / block, outStride, block] */
  readonly product: Slice;
}

/** The matrix products alone. */
export function winogradProduct(args: ProductArgs): Dispatch {
  const { label, method, channels, outStride: out_stride, count } = args;
  const { filters, transformed, product } = args;
  const stride = strideOf(count);
  const { kernel, constants, rule } = productOf(method, channels, out_stride, stride);
  return {
    kernel,
    label,
    constants,
    params: { channels, out_stride, stride },
    buffers: { filters, transformed, product },
    workgroups: workgroupsOver(label, { ...rule, z: PRODUCTS }, count),
  };
}

function productOf(method: WinogradMethod, channels: number, outStride: number, stride: number) {
  if (method.product === 'registers') {
    return productInRegisters(method.precision, outStride);
  }
  if (method.product === 'quads') {
    if (method.precision !== 'f32' || !quadsFit({ channels, outStride })) {
      throw new Error('quads need f32, a multiple of 4 channels and of 32 outputs');
    }
    return productInQuads(method.quads ?? 1, outStride);
  }
  if (method.product === 'workgroup') {
    const { tile = chooseProductTile(outStride, stride, PRODUCTS, method.maxInvocations) } = method;
    return productInWorkgroups(method.precision, tile, { channels, outStride });
  }
  if (!method.units || method.precision !== 'f16')
    throw new Error('matrix units need f16 and a size');
  return productByMatrix(method.units, outStride);
}
