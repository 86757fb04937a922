import { ScoreCamError } from '../../errors';
import type { Dispatch, GridRule, Kernel, Slice } from '../../gpu/kernel';
import { checkedGrid, workgroupsOf } from '../../gpu/workgroups';
import type { ConvDtype } from '../../numbers/dtypes';
import { encodeF16 } from '../../numbers/f16';
import type { ConvTiling } from '../../plan/conv_choice';
import type { GemmTile } from '../shared/gemm_tile';
import type { ByPlaces, Places } from '../shared/places';
import { type Size, tileGrid } from '../tiles/tile_grid';
import type { ConvShape, ConvVariant } from './conv_kernel';
import { convNaive } from './conv_naive';
import { convRegisters } from './conv_registers';
import { convInTiles, convWorkgroup } from './conv_workgroup';
import { maskedConvNaive } from './masked_conv_naive';
import { maskedConvRegistersKernels, PATCH, patchRule } from './masked_conv_registers';
import { maskedConvWorkgroupKernels, maskedPatch, maskedPatchRule } from './masked_conv_workgroup';

export type { ConvShape } from './conv_kernel';

export interface ConvArgs {
  readonly label: string;
  readonly shape: ConvShape;
  /** Of the weights; the bias is f32. */
  readonly dtype: ConvDtype;
  readonly batch: number;
  /** [batch, inChannels, height, width] */
  readonly input: Slice;
  /** From {@link packConv}. */
  readonly weights: Slice;
  /** From {@link packConv}. */
  readonly bias: Slice;
  /** [batch, outChannels, height, width], or half of both when pooled. */
  readonly output: Slice;
  /** Of the tiling `workgroup` of a tensor: this tile instead of the one chosen by shape. */
  readonly tile?: GemmTile | undefined;
}

export interface MaskedConvArgs extends Omit<ConvArgs, 'input' | 'tile'> {
  /** Mask m of the batch is made of map channels[firstMask + m]. */
  readonly firstMask: number;
  /** The normalised image, [inChannels, height, width]. */
  readonly image: Slice;
  /** Activation maps, [K, mapHeight, mapWidth]. */
  readonly maps: Slice;
  readonly mapHeight: number;
  readonly mapWidth: number;
  /** Smallest and largest value of each map after upsampling, [K, 2]. */
  readonly ranges: Slice;
  /** u32 map indices. */
  readonly channels: Slice;
  readonly alignCorners: boolean;
  /** Compute these patches of {@link maskedTile} and leave the rest of the output. Default: all. */
  readonly places?: Places | undefined;
}

const PLAIN: Record<ConvTiling, ConvVariant> = {
  naive: convNaive,
  registers: convRegisters,
  workgroup: convWorkgroup,
};

/** A masked convolution that goes over patches of the image, all of them or those listed. */
interface MaskedPatches {
  readonly kernels: ByPlaces<ConvVariant['kernels']>;
  readonly tile: (shape: ConvShape) => Size;
  readonly rule: (shape: ConvShape) => GridRule;
}

const MASKED: Record<Exclude<ConvTiling, 'naive'>, MaskedPatches> = {
  registers: {
    kernels: maskedConvRegistersKernels,
    tile: () => PATCH,
    rule: patchRule,
  },
  workgroup: {
    kernels: maskedConvWorkgroupKernels,
    tile: maskedPatch,
    rule: maskedPatchRule,
  },
};

/** The patches that a tiling of the masked convolution can compute alone; undefined if it computes all. */
export function maskedTile(tiling: ConvTiling, shape: ConvShape): Size | undefined {
  return tiling === 'naive' ? undefined : MASKED[tiling].tile(shape);
}

/** Output channels are padded to a multiple of this, so that weights can be read four at a time. */
const CHANNEL_BLOCK = 8;

export interface PackedConv {
  readonly weights: Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>;
  readonly bias: Float32Array<ArrayBuffer>;
}

/**
 * Packs weights [O, I, k, k] and bias [O] for every tiling alike: weights[I k k, stride] of `dtype` with
 * the output channel innermost, bias[stride] in f32, where stride is O rounded up to 8, filled with zeros.
 * @throws ScoreCamError `weights` for arrays of other sizes, and for a weight that f16 cannot hold
 */
export function packConv(
  weights: Float32Array,
  bias: Float32Array,
  shape: Pick<ConvShape, 'inChannels' | 'outChannels' | 'kernel'>,
  dtype: ConvDtype,
): PackedConv {
  const { outChannels } = shape;
  const depth = shape.inChannels * shape.kernel * shape.kernel;
  if (weights.length !== outChannels * depth || bias.length !== outChannels) {
    throw new ScoreCamError(
      'weights',
      `A ${shape.kernel}x${shape.kernel} convolution of ${shape.inChannels} to ${outChannels} channels ` +
        `needs ${outChannels * depth} weights and ${outChannels} biases, got ${weights.length} and ${bias.length}.`,
    );
  }
  const stride = Math.ceil(outChannels / CHANNEL_BLOCK) * CHANNEL_BLOCK;
  const size = depth * stride;
  const encoded = dtype === 'f16' ? encodeF16(weights) : weights;
  const packed = dtype === 'f16' ? new Uint16Array(size) : new Float32Array(size);
  for (let o = 0; o < outChannels; o++) {
    for (let k = 0; k < depth; k++) {
      packed[k * stride + o] = encoded[o * depth + k] as number;
    }
  }
  const packedBias = new Float32Array(stride);
  packedBias.set(bias);
  return { weights: packed, bias: packedBias };
}

/** Convolution, bias, activation and optional pooling of a batch of tensors. */
export function conv(tiling: ConvTiling, args: ConvArgs): Dispatch {
  const { input, weights, bias, output, tile } = args;
  const variant = tile && tiling === 'workgroup' ? convInTiles(() => tile) : PLAIN[tiling];
  return dispatch(variant, args, { input, weights, bias, output }, {});
}

/**
 * The same of image * mask, one image and a batch of masks: a mask is a map, upsampled to the image's
 * size and scaled to [0, 1], evaluated where the kernel reads the image and stored nowhere.
 */
export function maskedConv(tiling: ConvTiling, args: MaskedConvArgs): Dispatch {
  const { image, maps, ranges, channels, weights, bias, output } = args;
  const { shape, places, batch } = args;
  const buffers = { image, maps, ranges, channels, weights, bias, output };
  const values = {
    first_mask: args.firstMask,
    map_height: args.mapHeight,
    map_width: args.mapWidth,
    align_corners: args.alignCorners ? 1 : 0,
  };
  if (tiling === 'naive') {
    if (places) throw new Error('The naive tiling computes all places.');
    return dispatch(maskedConvNaive, args, buffers, { ...values, places: 0 });
  }
  const { kernels, tile, rule } = MASKED[tiling];
  const { down, across } = tileGrid(shape, tile(shape));
  const count = places?.count ?? batch * down * across;
  const kernel = (places ? kernels.listed : kernels.all)[args.dtype];
  return {
    ...valuesOf(kernel, args, { ...values, places: count }),
    label: args.label,
    buffers: places ? { ...buffers, places: places.list } : buffers,
    workgroups: workgroupsOf(nameOf(args, kernel), rule(shape), count),
  };
}

function dispatch(
  { kernels, workgroups, tile }: ConvVariant,
  args: Pick<ConvArgs, 'label' | 'shape' | 'dtype' | 'batch'>,
  buffers: Readonly<Record<string, Slice>>,
  mask: Readonly<Record<string, number>>,
): Dispatch {
  const { label, shape, dtype, batch } = args;
  const kernel = kernels[dtype];
  return {
    ...valuesOf(kernel, args, { ...mask, ...tile?.(shape, batch) }),
    label,
    buffers,
    workgroups: checkedGrid(nameOf(args, kernel), workgroups(shape, batch)),
  };
}

const nameOf = ({ label }: Pick<ConvArgs, 'label'>, { name }: Kernel): string =>
  `${label} (${name})`;

/** The kernel with a value for each of its overrides and parameters. */
function valuesOf(
  kernel: Kernel,
  { shape, batch }: Pick<ConvArgs, 'shape' | 'batch'>,
  others: Readonly<Record<string, number>>,
): Pick<Dispatch, 'kernel' | 'constants' | 'params'> {
  const values: Readonly<Record<string, number>> = {
    ...others,
    batch,
    in_channels: shape.inChannels,
    out_channels: shape.outChannels,
    height: shape.height,
    width: shape.width,
    kernel: shape.kernel,
    slope: shape.slope,
    pool: shape.pool ? 1 : 0,
  };
  const pick = (names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, values[name.toLowerCase()] as number]));
  return {
    kernel,
    constants: pick(kernel.overrides),
    params: pick(kernel.params.map(({ name }) => name)),
  };
}
