import type { ConvShape } from './conv_kernel';
import { checkedGrid, gridOf } from './grid';
import { ceilDiv, type Dispatch, defineKernel, type Slice } from './kernel';
import { byPlaces, type Places } from './places';
import { type ConvDtype, kernelsByDtype } from './weight_dtype';
import filtersCode from './winograd_filters.wgsl?raw';
import inputCode from './winograd_input.wgsl?raw';
import outputCode from './winograd_output.wgsl?raw';
import productCode from './winograd_product.wgsl?raw';

/*
 * Winograd F(4x4, 3x3): 36 products for 16 outputs instead of 144, in three registers-only kernels, and a
 * fourth that transforms the filters first. Its roundings are larger than a direct convolution's (about
 * 1e-5 of a layer's largest value), far below what a map shows. Used on software adapters, where arithmetic is what costs.
 */

const u32 = (name: string) => ({ name, type: 'u32' }) as const;

export const winogradFiltersKernels = kernelsByDtype(
  ['f32', 'f16'],
  'winograd_filters',
  (name, prefix) =>
    defineKernel({
      name,
      code: `${prefix}\n${filtersCode}`,
      params: ['channels', 'out_stride'].map(u32),
      storage: [
        { name: 'weights', access: 'read' },
        { name: 'filters', access: 'read_write' },
      ],
    }),
);

export const winogradInputKernels = byPlaces(3, ({ ending, prefix, storage }) =>
  defineKernel({
    name: `winograd_input${ending}`,
    code: `${prefix}\n${inputCode}`,
    params: ['places', 'channels', 'height', 'width', 'stride'].map(u32),
    storage: [
      { name: 'input', access: 'read' },
      { name: 'transformed', access: 'read_write' },
      ...storage,
    ],
  }),
);

export const winogradProductKernel = defineKernel({
  name: 'winograd_product',
  code: productCode,
  params: ['channels', 'out_stride', 'stride'].map(u32),
  storage: [
    { name: 'filters', access: 'read' },
    { name: 'transformed', access: 'read' },
    { name: 'product', access: 'read_write' },
  ],
});

export const winogradOutputKernels = byPlaces(4, ({ ending, prefix, storage }) =>
  defineKernel({
    name: `winograd_output${ending}`,
    code: `${prefix}\n${outputCode}`,
    params: [
      ...['places', 'out_channels', 'out_stride', 'height', 'width', 'stride'].map(u32),
      { name: 'slope', type: 'f32' },
    ],
    storage: [
      { name: 'product', access: 'read' },
      { name: 'bias', access: 'read' },
      { name: 'output', access: 'read_write' },
      ...storage,
    ],
    overrides: ['POOL'],
  }),
);

const outStride = (shape: Pick<ConvShape, 'outChannels'>): number =>
  8 * ceilDiv(shape.outChannels, 8);

/** A tile is 4x4 outputs; a batch's are counted image by image, row by row. */
export const TILE = 4;
export const WINOGRAD_TILE = { height: TILE, width: TILE } as const;

export function tilesOf(
  { height, width }: Pick<ConvShape, 'height' | 'width'>,
  batch: number,
): number {
  return batch * ceilDiv(height, TILE) * ceilDiv(width, TILE);
}

/** Rounded up to what winograd_product takes at once. */
const strideOf = (tiles: number): number => 16 * ceilDiv(tiles, 16);

/** maxStorageBufferBindingSize of every WebGPU device: 128 MiB. */
const MAX_FILTER_BYTES = 128 * 1024 * 1024;

/**
 * Whether a convolution is computed so: 3x3, on a software adapter, with channels enough to pay for the
 * transforms, and filters that any device can bind. Pure, so that weights are transformed exactly for the
 * layers that want them.
 */
export function choosesWinograd(
  shape: Pick<ConvShape, 'inChannels' | 'outChannels' | 'kernel'>,
  adapter: { readonly isFallback: boolean },
): boolean {
  const worthwhile = adapter.isFallback && shape.kernel === 3 && shape.inChannels >= 8;
  return worthwhile && winogradFilterBytes(shape) <= MAX_FILTER_BYTES;
}

/** Bytes of the two intermediate tensors, V and M, for so many tiles, those of a batch unless some are listed. */
export function winogradScratch(
  shape: ConvShape,
  batch: number,
  tiles = tilesOf(shape, batch),
): { readonly transformed: number; readonly product: number } {
  const column = 4 * 36 * strideOf(tiles);
  return { transformed: column * shape.inChannels, product: column * outStride(shape) };
}

/** Bytes of the transformed filters: four times those of the weights in f32. */
export function winogradFilterBytes(shape: Pick<ConvShape, 'inChannels' | 'outChannels'>): number {
  return 4 * 36 * shape.inChannels * outStride(shape);
}

export interface WinogradFiltersArgs {
  readonly label: string;
  readonly shape: Pick<ConvShape, 'inChannels' | 'outChannels'>;
  /** Of the weights; the filters are f32. */
  readonly dtype: ConvDtype;
  /** From `packConv`. */
  readonly weights: Slice;
  /** [36, inChannels, outChannels rounded up to 8], {@link winogradFilterBytes} */
  readonly filters: Slice;
}

/**
 * Transforms a convolution's filters. Filters of f32 weights are worth keeping; those of f16 weights are
 * made anew for each use, or the model would stand in memory in f32 after all.
 */
export function winogradFilters(args: WinogradFiltersArgs): Dispatch {
  const { label, shape, dtype, weights, filters } = args;
  const out_stride = outStride(shape);
  return {
    kernel: winogradFiltersKernels[dtype],
    label,
    constants: {},
    params: { channels: shape.inChannels, out_stride },
    buffers: { weights, filters },
    workgroups: gridOf(label, shape.inChannels * (out_stride / 4), 64),
  };
}

export interface WinogradArgs {
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
  /** Compute these tiles and leave the rest of the output. Default: all. */
  readonly places?: Places | undefined;
}

/** Convolution, bias, activation and optional pooling, as three dispatches. */
export function winogradConv(args: WinogradArgs): Dispatch[] {
  const { label, shape, batch, input, filters, bias, transformed, product, output, places } = args;
  const { inChannels, outChannels, height, width } = shape;
  const tiles = places?.count ?? tilesOf(shape, batch);
  const stride = strideOf(tiles);
  const form = places ? 'listed' : 'all';
  const listed = places ? { places: places.list } : {};
  const out_stride = outStride(shape);
  const products = ceilDiv((out_stride / 8) * (stride / 16), 16);
  return [
    {
      kernel: winogradInputKernels[form],
      label,
      constants: {},
      params: { places: tiles, channels: inChannels, height, width, stride },
      buffers: { input, transformed, ...listed },
      workgroups: gridOf(label, tiles * inChannels, 64),
    },
    {
      kernel: winogradProductKernel,
      label,
      constants: {},
      params: { channels: inChannels, out_stride, stride },
      buffers: { filters, transformed, product },
      workgroups: checkedGrid(label, [products, 1, 36]),
    },
    {
      kernel: winogradOutputKernels[form],
      label,
      constants: { POOL: Number(shape.pool) },
      params: {
        places: tiles,
        out_channels: outChannels,
        out_stride,
        height,
        width,
        stride,
        slope: shape.slope,
      },
      buffers: { product, bias, output, ...listed },
      workgroups: gridOf(label, tiles * outChannels, 64),
    },
  ];
}
