import { ScoreCamError } from '../../errors';
import type { Dispatch, Kernel, Slice } from '../../gpu/kernel';
import { workgroupsOver } from '../../gpu/workgroups';
import type { ConvDtype } from '../../numbers/dtypes';
import { encodeF16 } from '../../numbers/f16';
import { type ConvEnds, endValues } from '../shared/conv_shape';
import type { TileChoice } from '../shared/gemm_tile';
import type { ImageUnderMasks } from '../shared/image_under_masks';
import { type Places, placesOf } from '../shared/places';
import { type Size, tileGrid } from '../shared/tile_grid';
import { type ConvShape, convValues, type MaskedConv, type PlainConv } from './conv_kernel';
import { convQuads } from './conv_quads';
import { convRegisters, maskedConvRegisters } from './conv_registers';
import { convWorkgroup } from './conv_workgroup';
import { maskedConvWorkgroup } from './masked_conv_workgroup';

export type { ConvShape } from './conv_kernel';

export interface ConvArgs extends ConvEnds {
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
  /** Of the tilings `workgroup` and `quads` of a tensor. */
  readonly choice?: TileChoice | undefined;
}

export interface MaskedConvArgs
  extends Omit<ConvArgs, 'input' | 'choice' | 'added'>,
    ImageUnderMasks {
  /** Compute these patches of {@link maskedTile} and leave the rest of the output. Default: all. */
  readonly places?: Places | undefined;
}

/** The ways to compute the sum directly; each is described in its .wgsl file. */
const PLAIN = {
  registers: convRegisters,
  quads: convQuads,
  workgroup: convWorkgroup,
} as const satisfies Record<string, PlainConv>;

export type ConvTiling = keyof typeof PLAIN;

/** Those that can have the mask fused in. */
const MASKED = {
  registers: maskedConvRegisters,
  workgroup: maskedConvWorkgroup,
} as const satisfies Partial<Record<ConvTiling, MaskedConv>>;

export type MaskedTiling = keyof typeof MASKED;

/** Whether a tiling can have the mask fused in. */
export function canMask(tiling: ConvTiling): tiling is MaskedTiling {
  return tiling in MASKED;
}

/** The patches that a tiling of the masked convolution can compute alone. */
export function maskedTile(tiling: MaskedTiling, shape: ConvShape): Size {
  const masked: MaskedConv = MASKED[tiling];
  return masked.patch(shape);
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
  const { label, shape, dtype, batch, choice = {}, input, weights, bias, output } = args;
  // A patch holds whole 2x2, a row does not.
  const way: PlainConv = PLAIN[tiling === 'quads' && shape.pool ? 'registers' : tiling];
  const kernel = way.kernel(dtype, args.added ? 'added' : 'plain');
  const { values, workgroups } = way.cover(nameOf(label, kernel), shape, batch, choice);
  return {
    ...convValues(kernel, shape, { ...values, ...endValues(shape, args) }),
    label,
    // Something is bound where nothing is added.
    buffers: { input, weights, bias, output, added: args.added?.slice ?? bias },
    workgroups,
  };
}

/**
 * The same of image * mask, one image and a batch of masks: a mask is a map, upsampled to the image's
 * size and scaled to [0, 1], evaluated where the kernel reads the image and stored nowhere.
 */
export function maskedConv(tiling: MaskedTiling, args: MaskedConvArgs): Dispatch {
  const { label, shape, dtype, batch, places } = args;
  const { image, maps, ranges, channels, weights, bias, output } = args;
  const { kernel: pick, patch, rule, values: own }: MaskedConv = MASKED[tiling];
  const kernel = pick({ weights: dtype, places: placesOf(places) });
  const { down, across } = tileGrid(shape, patch(shape));
  const count = places?.count ?? batch * down * across;
  const values = {
    ...own?.(shape),
    places: count,
    first_mask: args.firstMask,
    map_height: args.mapHeight,
    map_width: args.mapWidth,
    align_corners: args.alignCorners ? 1 : 0,
  };
  const listed = places ? { places: places.list } : {};
  return {
    ...convValues(kernel, shape, { ...values, ...endValues(shape, args) }),
    label,
    buffers: { image, maps, ranges, channels, weights, bias, output, ...listed },
    workgroups: workgroupsOver(nameOf(label, kernel), rule(shape), count),
  };
}

const nameOf = (label: string, { name }: Kernel): string => `${label} (${name})`;
