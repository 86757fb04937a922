import type { Dispatch, Slice } from '../../gpu/kernel';
import { MORE, workgroupsFor, workgroupsOver } from '../../gpu/workgroups';
import { type ConvDtype, type Precision, STORED_BYTES } from '../../numbers/dtypes';
import { ceilDiv } from '../../numbers/padding';
import { family } from '../family';
import { type ConvEnds, type ConvShape, endValues } from '../shared/conv_shape';
import type { ImageUnderMasks } from '../shared/image_under_masks';
import { type Places, placesOf } from '../shared/places';
import type { VARIANTS } from '../variants';
import filtersSource from './winograd_filters_fused.wgsl';
import source from './winograd_fused.wgsl';

/*
 * Winograd F(2x2, 3x3) in one kernel, for GPUs: 2.25 times fewer products than the definition, and nothing in memory but
 * what goes in and comes out. docs/gpu-kernels.md counts when that is the way to take.
 */

const kernels = family<typeof VARIANTS.winograd_fused>(source);
const transforms = family<typeof VARIANTS.winograd_filters_fused>(filtersSource);

/** Invocations of a workgroup, and bytes of its memory for each step that it holds. */
export const FUSED_INVOCATIONS = 256;
export const FUSED_STORAGE = 16384;

/** Steps of the sum that a workgroup holds: with two, one is written while the other is read. */
export type Sides = 1 | 2;

/** One way to compute a convolution by F(2x2) in one kernel. */
export interface FusedMethod {
  /** Of the filters. */
  readonly precision: Precision;
  readonly sides: Sides;
}

const PRODUCTS = 16;
/** Of a workgroup: output channels, places of 4x4 outputs, and blocks of places before the next channels. */
const CHANNELS = 32;
const PLACES = 8;
const TOGETHER = 8;

const blocksOf = (outChannels: number): number => ceilDiv(outChannels, CHANNELS);

const paddedChannels = (inChannels: number): number => 4 * ceilDiv(inChannels, 4);

type Channels = Pick<ConvShape, 'inChannels' | 'outChannels'>;

/** Bytes of the transformed filters, those that pad them included. */
export function fusedFilterBytes(
  { inChannels, outChannels }: Channels,
  precision: Precision,
): number {
  const each = PRODUCTS * paddedChannels(inChannels) * CHANNELS;
  return STORED_BYTES[precision] * each * blocksOf(outChannels);
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
  readonly precision: Precision;
}

/** Transforms a convolution's filters. */
export function fusedFilters(args: FusedFiltersArgs): Dispatch {
  const { label, shape, dtype, precision, weights, filters } = args;
  const { inChannels, outChannels } = shape;
  const blocks = blocksOf(outChannels);
  const fours = blocks * paddedChannels(inChannels) * (CHANNELS / 4);
  return {
    kernel: transforms.pick({ stored: precision, weights: dtype }),
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
  readonly method: FusedMethod;
}

export interface FusedConvArgs extends FusedArgs, ConvEnds {
  /** [batch, inChannels, height, width] */
  readonly input: Slice;
}

export interface FusedMaskedArgs extends FusedArgs, ImageUnderMasks, Pick<ConvEnds, 'isBounded'> {}

/** Convolution, bias, activation and optional pooling of a batch of tensors. */
export function fusedConv(args: FusedConvArgs): Dispatch {
  const { shape, input, bias, added } = args;
  return dispatch(args, 'plain', {
    params: {},
    constants: endValues(shape, args),
    // Something is bound where nothing is added.
    buffers: { pixels: input, added: added?.slice ?? bias },
  });
}

/** The same of image * mask, one image and a batch of masks. */
export function maskedFusedConv(args: FusedMaskedArgs): Dispatch {
  const { shape, firstMask, image, maps, mapHeight, mapWidth, ranges, channels, isBounded } = args;
  return dispatch(args, 'masked', {
    params: { first_mask: firstMask },
    constants: {
      ...endValues(shape, { isBounded }),
      map_height: mapHeight,
      map_width: mapWidth,
      align_corners: Number(args.alignCorners),
    },
    buffers: { pixels: image, maps, ranges, channels },
  });
}

function dispatch(
  { label, shape, batch, filters, bias, output, places, method }: FusedArgs,
  pixels: 'plain' | 'masked',
  own: Pick<Dispatch, 'params' | 'constants' | 'buffers'>,
): Dispatch {
  const { inChannels, outChannels, height, width, activation, pool } = shape;
  const count = places?.count ?? batch * ceilDiv(height, 4) * ceilDiv(width, 4);
  const values: Readonly<Record<string, number>> = {
    ...own.constants,
    in_channels: inChannels,
    steps: ceilDiv(inChannels, 4),
    out_channels: outChannels,
    height,
    width,
    activation,
    pool: Number(pool),
    sides: method.sides,
  };
  const listed = places ? { places: places.list } : {};
  const rule = { together: PLACES * TOGETHER, items: TOGETHER * blocksOf(outChannels), size: 1 };
  return {
    kernel: kernels.pick({ pixels, stored: method.precision, places: placesOf(places) }),
    label,
    constants: Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name.toUpperCase(), value]),
    ),
    params: { ...own.params, places: count },
    buffers: { ...own.buffers, filters, bias, output, ...listed },
    workgroups: workgroupsOver(label, { ...rule, y: MORE, z: 1 }, count),
  };
}
