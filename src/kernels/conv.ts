import { ScoreCamError } from '../errors';
import type { ConvShape, ConvVariant } from './conv_kernel';
import { convNaive } from './conv_naive';
import { convRegisters } from './conv_registers';
import { convWorkgroup } from './conv_workgroup';
import { encodeF16 } from './encode_f16';
import { checkedGrid } from './grid';
import type { Dispatch, Slice } from './kernel';
import { maskedConvNaive } from './masked_conv_naive';
import { maskedConvRegistersKernels, PATCH, patchWorkgroups } from './masked_conv_registers';
import { maskedConvWorkgroupKernels, maskedPatch, maskedPatchGrid } from './masked_conv_workgroup';
import type { ByPlaces, Places } from './places';
import { type Size, tileGrid } from './tile_grid';
import type { ConvDtype } from './weight_dtype';

export type { ConvShape } from './conv_kernel';

/** The ways to compute a convolution; each is described in its .wgsl file. */
export type ConvTiling = 'naive' | 'registers' | 'workgroup';

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
}

export interface MaskedConvArgs extends Omit<ConvArgs, 'input'> {
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
  readonly grid: (shape: ConvShape, patches: number) => [number, number, number];
}

const MASKED: Record<Exclude<ConvTiling, 'naive'>, MaskedPatches> = {
  registers: {
    kernels: maskedConvRegistersKernels,
    tile: () => PATCH,
    grid: patchWorkgroups,
  },
  workgroup: {
    kernels: maskedConvWorkgroupKernels,
    tile: maskedPatch,
    grid: maskedPatchGrid,
  },
};

/**
 * The tiling for an adapter. Workgroup memory and barriers are what a GPU needs and what a software
 * adapter is slowest at: SwiftShader computes a matrix product in tiles of workgroup memory at 0.35 to
 * 0.6 GFLOP/s and in registers alone at 3 to 5 (2 cores).
 */
export function chooseConvTiling(
  _shape: ConvShape,
  adapter: { readonly isFallback: boolean },
): ConvTiling {
  return adapter.isFallback ? 'registers' : 'workgroup';
}

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
  const { input, weights, bias, output } = args;
  return dispatch(PLAIN[tiling], args, { input, weights, bias, output }, {});
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
  const { kernels, tile, grid } = MASKED[tiling];
  const { down, across } = tileGrid(shape, tile(shape));
  const count = places?.count ?? batch * down * across;
  const variant = {
    kernels: places ? kernels.listed : kernels.all,
    workgroups: () => grid(shape, count),
  };
  const listed = places ? { ...buffers, places: places.list } : buffers;
  return dispatch(variant, args, listed, { ...values, places: count });
}

/** Gives each override and each parameter of the variant its value. */
function dispatch(
  { kernels, workgroups }: ConvVariant,
  { label, shape, dtype, batch }: Pick<ConvArgs, 'label' | 'shape' | 'dtype' | 'batch'>,
  buffers: Readonly<Record<string, Slice>>,
  mask: Readonly<Record<string, number>>,
): Dispatch {
  const kernel = kernels[dtype];
  const values: Readonly<Record<string, number>> = {
    ...mask,
    batch,
    in_channels: shape.inChannels,
    out_channels: shape.outChannels,
    height: shape.height,
    width: shape.width,
    kernel: shape.kernel,
    slope: shape.slope,
    pool: shape.pool ? 1 : 0,
  };
  const valuesOf = (names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, values[name.toLowerCase()] as number]));
  return {
    kernel,
    label,
    constants: valuesOf(kernel.overrides),
    params: valuesOf(kernel.params.map(({ name }) => name)),
    buffers,
    workgroups: checkedGrid(`${label} (${kernel.name})`, workgroups(shape, batch)),
  };
}
