import { ScoreCamError } from '../errors';
import type { ConvTiling } from './conv_choice';
import type { ConvShape, ConvVariant } from './conv_kernel';
import { convNaive } from './conv_naive';
import { convRegisters } from './conv_registers';
import { convInTiles, convWorkgroup } from './conv_workgroup';
import { encodeF16 } from './encode_f16';
import type { GemmTile } from './gemm_tile';
import { checkedGrid } from './grid';
import { ceilDiv, type Dispatch, type Slice } from './kernel';
import { maskedConvNaive } from './masked_conv_naive';
import {
  maskedConvRegisters,
  maskedConvRegistersListed,
  PATCH,
  patchWorkgroups,
} from './masked_conv_registers';
import { maskedConvWorkgroup } from './masked_conv_workgroup';
import type { Places } from './places';
import type { ConvDtype } from './weight_dtype';

export { type ConvTiling, chooseConvTiling } from './conv_choice';
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
  /** Of the tiling `registers` only: compute these patches, see PATCH, and leave the rest of the output. */
  readonly places?: Places | undefined;
}

const PLAIN: Record<ConvTiling, ConvVariant> = {
  naive: convNaive,
  registers: convRegisters,
  workgroup: convWorkgroup,
};

const MASKED: Record<ConvTiling, ConvVariant> = {
  naive: maskedConvNaive,
  registers: maskedConvRegisters,
  workgroup: maskedConvWorkgroup,
};

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
  const { shape, places } = args;
  const buffers = { image, maps, ranges, channels, weights, bias, output };
  if (places && tiling !== 'registers') throw new Error(`${tiling} knows no places`);
  const perImage = ceilDiv(shape.height, PATCH.height) * ceilDiv(shape.width, PATCH.width);
  const patches = places?.count ?? args.batch * perImage;
  const listed = {
    kernels: maskedConvRegistersListed,
    workgroups: () => patchWorkgroups(shape, patches),
  };
  const variant = places ? listed : MASKED[tiling];
  return dispatch(variant, args, places ? { ...buffers, places: places.list } : buffers, {
    patches,
    first_mask: args.firstMask,
    map_height: args.mapHeight,
    map_width: args.mapWidth,
    align_corners: args.alignCorners ? 1 : 0,
  });
}

/** Gives each override and each parameter of the variant its value. */
function dispatch(
  { kernels, workgroups, tile }: ConvVariant,
  { label, shape, dtype, batch }: Pick<ConvArgs, 'label' | 'shape' | 'dtype' | 'batch'>,
  buffers: Readonly<Record<string, Slice>>,
  mask: Readonly<Record<string, number>>,
): Dispatch {
  const kernel = kernels[dtype];
  const values: Readonly<Record<string, number>> = {
    ...mask,
    ...tile?.(shape, batch),
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
