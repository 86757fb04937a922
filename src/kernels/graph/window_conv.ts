import type { Dispatch, Kernel, Slice } from '../../gpu/kernel';
import { checkedWorkgroups, foldedWorkgroups, workgroupsFor } from '../../gpu/workgroups';
import { activationConstants } from '../../numbers/activation';
import type { ConvDtype } from '../../numbers/dtypes';
import { ceilDiv } from '../../numbers/padding';
import { family } from '../family';
import { CONV_TILES, chooseGemmTile, type TileChoice, tilesWithin } from '../shared/gemm_tile';
import type { ImageUnderMasks } from '../shared/image_under_masks';
import type { VARIANTS } from '../variants';
import type { View } from './view';
import inQuads from './window_conv_quads.wgsl';
import inRegisters from './window_conv_registers.wgsl';
import inWorkgroups from './window_conv_workgroup.wgsl';
import type { WindowShape } from './window_shape';

/* Convolutions over windows of any size and stride, in groups or not. Depthwise ones have a kernel of their own. */

/**
 * How outputs are covered: in registers for software adapters, alone or shared by four (`quads` needs the feature
 * `subgroups`), in workgroup memory for GPUs.
 */
const TILINGS = {
  registers: family<typeof VARIANTS.window_conv_registers>(inRegisters),
  quads: family<typeof VARIANTS.window_conv_quads>(inQuads),
  workgroup: family<typeof VARIANTS.window_conv_workgroup>(inWorkgroups),
} as const;

export type WindowTiling = keyof typeof TILINGS;

interface WindowBase {
  readonly label: string;
  readonly shape: WindowShape;
  /** Of the weights; the bias is f32. */
  readonly dtype: ConvDtype;
  readonly batch: number;
  /** From `packWindowConv`. */
  readonly weights: Slice;
  readonly bias: Slice;
  /** [batch, outChannels, outHeight, outWidth] */
  readonly output: View;
  /** No sum can be infinite or NaN, so that none need be looked at. Default false. */
  readonly isBounded?: boolean | undefined;
  /** Of the tiling `workgroup`. */
  readonly choice?: TileChoice | undefined;
  /** Of the tiling `quads`: how many a subgroup is. Default 1, which computes the same on larger ones. */
  readonly quads?: number | undefined;
}

export interface WindowConvArgs extends WindowBase {
  /** [batch, inChannels, height, width] */
  readonly input: View;
  /** As the output: added before the activation. */
  readonly added?: View | undefined;
}

export interface MaskedWindowConvArgs extends WindowBase, ImageUnderMasks {}

/**
 * Convolution, bias, an addition and activation of a batch of tensors.
 * @throws ScoreCamError `limit`
 */
export function windowConv(tiling: WindowTiling, args: WindowConvArgs): Dispatch {
  const { input, added } = args;
  const variant = {
    pixels: 'plain',
    ends: added ? 'added' : 'plain',
    weights: args.dtype,
  } as const;
  return {
    ...covered(tiling, args, TILINGS[tiling].pick(variant), {
      in_first: input.first,
      in_of: input.of,
      ...(added && { added_first: added.first, added_of: added.of }),
    }),
    buffers: { ...buffersOf(args), input: input.slice, ...(added && { added: added.slice }) },
  };
}

/**
 * The same of image * mask, one image and a batch of masks: a mask is a map, upsampled to the image's size and scaled to
 * [0, 1], evaluated where the kernel reads the image and stored nowhere.
 * @throws ScoreCamError `limit`
 */
export function maskedWindowConv(tiling: WindowTiling, args: MaskedWindowConvArgs): Dispatch {
  const { image, maps, ranges, channels } = args;
  const variant = { pixels: 'masked', ends: 'plain', weights: args.dtype } as const;
  return {
    ...covered(tiling, args, TILINGS[tiling].pick(variant), {
      in_first: 0,
      in_of: args.shape.inChannels,
      first_mask: args.firstMask,
      map_height: args.mapHeight,
      map_width: args.mapWidth,
      align_corners: args.alignCorners ? 1 : 0,
    }),
    buffers: { ...buffersOf(args), input: image, maps, ranges, channels },
  };
}

const buffersOf = ({ weights, bias, output }: WindowBase) => ({
  weights,
  bias,
  output: output.slice,
});

function covered(
  tiling: WindowTiling,
  { label, shape, batch, output, choice, quads = 1, isBounded }: WindowBase,
  kernel: Kernel,
  own: Readonly<Record<string, number>>,
): Omit<Dispatch, 'buffers'> {
  const { groups } = shape;
  const outputs = batch * shape.outHeight * shape.outWidth;
  const each = shape.outChannels / groups;
  const cover = { label, outputs, groups, each, quads, choice };
  const { constants, workgroups } = COVERS[tiling](cover);
  return {
    kernel,
    label,
    params: {
      outputs,
      groups,
      in_channels: shape.inChannels / groups,
      out_channels: each,
      height: shape.height,
      width: shape.width,
      out_height: shape.outHeight,
      out_width: shape.outWidth,
      kernel_height: shape.kernel[0],
      kernel_width: shape.kernel[1],
      stride_down: shape.stride[0],
      stride_across: shape.stride[1],
      top: shape.before[0],
      left: shape.before[1],
      out_first: output.first,
      out_of: output.of,
      activation: shape.activation,
      ...own,
    },
    constants: { ...constants, ...activationConstants(shape.activation, isBounded) },
    workgroups,
  };
}

interface Covered {
  readonly label: string;
  readonly outputs: number;
  readonly groups: number;
  /** Channels of a group. */
  readonly each: number;
  readonly quads: number;
  readonly choice?: TileChoice | undefined;
}

type Cover = (of: Covered) => Pick<Dispatch, 'constants' | 'workgroups'>;

const COVERS: Readonly<Record<WindowTiling, Cover>> = {
  registers: ({ label, outputs, groups, each }) => ({
    constants: {},
    workgroups: workgroupsFor(label, ceilDiv(outputs, 16) * groups * ceilDiv(each, 8), 16),
  }),
  quads: ({ label, outputs, groups, each, quads }) => ({
    constants: { LANES: 4 * quads },
    workgroups: workgroupsFor(label, ceilDiv(outputs, 16) * groups * ceilDiv(each, 32), quads),
  }),
  workgroup: ({ label, outputs, groups, each, choice = {} }) => {
    const tiles = tilesWithin(CONV_TILES, choice.maxInvocations);
    const { rows, cols } = choice.tile ?? chooseGemmTile(tiles, each, outputs, groups);
    const [x, z] = foldedWorkgroups(ceilDiv(outputs, 8 * cols));
    const y = groups * ceilDiv(each, 8 * rows);
    return {
      constants: { ROWS: rows, COLS: cols },
      workgroups: checkedWorkgroups(label, [x, y, z]),
    };
  },
};
