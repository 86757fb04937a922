import type { Dispatch, Slice } from '../../gpu/kernel';
import { MORE, workgroupsFor, workgroupsOver } from '../../gpu/workgroups';
import { type ConvDtype, STORED_BYTES, type StoredDtype } from '../../numbers/dtypes';
import { ceilDiv } from '../../numbers/padding';
import { family } from '../family';
import { type ConvEnds, type ConvShape, endValues } from '../shared/conv_shape';
import type { ImageUnderMasks } from '../shared/image_under_masks';
import { type Places, placesOf } from '../shared/places';
import type { VARIANTS } from '../variants';
import source4x4 from './winograd_4x4_fused.wgsl';
import filtersSource4x4 from './winograd_filters_4x4_fused.wgsl';
import filtersSource from './winograd_filters_fused.wgsl';
import source from './winograd_fused.wgsl';

/*
 * Winograd in one kernel, for GPUs: F(2x2, 3x3) has 2.25 times fewer products than the definition, F(4x4, 3x3) 4 times, and
 * nothing is in memory but what goes in and comes out. docs/gpu-kernels.md counts when which is the way to take.
 */

const kernels = family<typeof VARIANTS.winograd_fused>(source);
const kernels4x4 = family<typeof VARIANTS.winograd_4x4_fused>(source4x4);
const transforms = {
  fused: family<typeof VARIANTS.winograd_filters_fused>(filtersSource),
  fused4x4: family<typeof VARIANTS.winograd_filters_4x4_fused>(filtersSource4x4),
} as const;

/** Invocations of a workgroup of F(2x2), and bytes of its memory for each step that it holds. */
export const FUSED_INVOCATIONS = 256;
export const FUSED_STORAGE = 16384;

/** The same of F(4x4), which holds one step: 36 products of 8 invocations; U, V and S, as its kernel's header says. */
export const FUSED_4X4_INVOCATIONS = 288;
export const FUSED_4X4_STORAGE = 29248;

/** Steps of the sum that a workgroup holds: with two, one is written while the other is read. */
export type Sides = 1 | 2;

/** One way to compute a convolution by F(2x2) in one kernel. */
export interface FusedMethod {
  /** Of the filters. */
  readonly precision: StoredDtype;
  readonly sides: Sides;
  /** In which products and their sums over 16 channels are computed. f16 wants filters in f16, and 1 side. Default f32. */
  readonly products?: 'f16' | undefined;
}

/** One way to compute a convolution by F(4x4) in one kernel. */
export type Fused4x4Method = Pick<FusedMethod, 'precision'>;

/** Products of a tile, input channels of a step, and places of 4x4 outputs of a workgroup. */
const SIZES = {
  fused: { products: 16, step: 4, places: 8 },
  fused4x4: { products: 36, step: 3, places: 16 },
} as const;

export type FusedKind = keyof typeof SIZES;

/** Input channels that products in f16 are added up over before they go into f32: there are whole blocks of them. */
export const HALF_BLOCK = 16;

/** Output channels of a workgroup, and blocks of places before the next channels. */
const CHANNELS = 32;
const TOGETHER = 8;

const blocksOf = (outChannels: number): number => ceilDiv(outChannels, CHANNELS);

/** What a workgroup computes for so many channels, and how many times all filters are read for so many places. */
export function fusedCover(
  kind: FusedKind,
  { inChannels, outChannels }: Channels,
): { inChannels: number; outChannels: number; together: number } {
  const { step, places } = SIZES[kind];
  return {
    inChannels: step * ceilDiv(inChannels, step),
    outChannels: CHANNELS * blocksOf(outChannels),
    together: places * TOGETHER,
  };
}

type Channels = Pick<ConvShape, 'inChannels' | 'outChannels'>;

/** Bytes of the transformed filters, those that pad them included. */
export function fusedFilterBytes(
  shape: Channels,
  precision: StoredDtype,
  kind: FusedKind = 'fused',
): number {
  const { inChannels, outChannels } = fusedCover(kind, shape);
  return STORED_BYTES[precision] * SIZES[kind].products * inChannels * outChannels;
}

export interface FusedFiltersArgs {
  readonly label: string;
  readonly shape: Channels;
  /** Of the weights; the filters are as `precision` stores them. */
  readonly dtype: ConvDtype;
  /** From `packConv`. */
  readonly weights: Slice;
  /** {@link fusedFilterBytes} */
  readonly filters: Slice;
  readonly precision: StoredDtype;
  /** Default F(2x2). */
  readonly kind?: FusedKind;
}

/** Transforms a convolution's filters. */
export function fusedFilters(args: FusedFiltersArgs): Dispatch {
  const { label, shape, dtype, precision, weights, filters, kind = 'fused' } = args;
  const { inChannels, outChannels } = shape;
  const blocks = blocksOf(outChannels);
  const fours = blocks * fusedCover(kind, shape).inChannels * (CHANNELS / 4);
  return {
    kernel: transforms[kind].pick({ stored: precision, weights: dtype }),
    label,
    constants: {},
    params: { channels: inChannels, pitch: 2 * ceilDiv(outChannels, 8), blocks },
    buffers: { weights, filters },
    workgroups: workgroupsFor(label, fours, 64),
  };
}

interface FusedArgs {
  readonly label: string;
  readonly shape: ConvShape;
  readonly batch: number;
  /** As {@link fusedFilters} leaves them. */
  readonly filters: Slice;
  /** Padded as `packConv` does. */
  readonly bias: Slice;
  /** [batch, outChannels, height, width], or half of both when pooled. */
  readonly output: Slice;
  /** Compute these places of 4x4 outputs, and leave the rest of the output. Default: all. */
  readonly places?: Places | undefined;
}

interface TensorArgs extends FusedArgs, ConvEnds {
  /** [batch, inChannels, height, width] */
  readonly input: Slice;
}

export interface FusedConvArgs extends TensorArgs {
  readonly method: FusedMethod;
}

export interface Fused4x4ConvArgs extends TensorArgs {
  readonly method: Fused4x4Method;
}

export interface FusedMaskedArgs extends FusedArgs, ImageUnderMasks, Pick<ConvEnds, 'isBounded'> {
  readonly method: FusedMethod;
}

/** Convolution, bias, activation and optional pooling of a batch of tensors. */
export function fusedConv(args: FusedConvArgs): Dispatch {
  const variant = { pixels: 'plain', ...variantOf(args) } as const;
  return dispatch('fused', args, ofTensors(args), {
    kernel:
      args.method.products === 'f16'
        ? kernels.pick({ ...variant, products: 'f16', stored: 'f16' })
        : kernels.pick({ ...variant, products: 'f32' }),
    constants: { sides: args.method.sides },
  });
}

/** The same by F(4x4). */
export function fused4x4Conv(args: Fused4x4ConvArgs): Dispatch {
  return dispatch('fused4x4', args, ofTensors(args), {
    kernel: kernels4x4.pick(variantOf(args)),
    constants: {},
  });
}

/** By F(2x2) of image * mask, one image and a batch of masks. */
export function maskedFusedConv(args: FusedMaskedArgs): Dispatch {
  const { shape, firstMask, image, maps, mapHeight, mapWidth, ranges, channels, isBounded } = args;
  return dispatch(
    'fused',
    args,
    {
      params: { first_mask: firstMask },
      constants: {
        ...endValues(shape, { isBounded }),
        map_height: mapHeight,
        map_width: mapWidth,
        align_corners: Number(args.alignCorners),
      },
      buffers: { pixels: image, maps, ranges, channels },
    },
    {
      // Three channels are no block of 16.
      kernel: kernels.pick({ pixels: 'masked', products: 'f32', ...variantOf(args) }),
      constants: { sides: args.method.sides },
    },
  );
}

const variantOf = ({ method, places }: FusedArgs & { readonly method: Fused4x4Method }) => ({
  stored: method.precision,
  places: placesOf(places),
});

type Own = Pick<Dispatch, 'params' | 'constants' | 'buffers'>;

function ofTensors(args: TensorArgs): Own {
  const { shape, input, bias, added } = args;
  return {
    params: {},
    constants: endValues(shape, args),
    // Something is bound where nothing is added.
    buffers: { pixels: input, added: added?.slice ?? bias },
  };
}

function dispatch(
  kind: FusedKind,
  { label, shape, batch, filters, bias, output, places }: FusedArgs,
  own: Own,
  way: Pick<Dispatch, 'kernel' | 'constants'>,
): Dispatch {
  const { inChannels, outChannels, height, width, activation, pool } = shape;
  const count = places?.count ?? batch * ceilDiv(height, 4) * ceilDiv(width, 4);
  const values: Readonly<Record<string, number>> = {
    ...own.constants,
    ...way.constants,
    in_channels: inChannels,
    steps: ceilDiv(inChannels, SIZES[kind].step),
    out_channels: outChannels,
    height,
    width,
    activation,
    pool: Number(pool),
  };
  const listed = places ? { places: places.list } : {};
  const { together } = fusedCover(kind, shape);
  const rule = { together, items: TOGETHER * blocksOf(outChannels), size: 1 };
  return {
    kernel: way.kernel,
    label,
    constants: Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name.toUpperCase(), value]),
    ),
    params: { ...own.params, places: count },
    buffers: { ...own.buffers, filters, bias, output, ...listed },
    workgroups: workgroupsOver(label, { ...rule, y: MORE, z: 1 }, count),
  };
}
