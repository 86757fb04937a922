import type { Dispatch, Kernel } from '../../gpu/kernel';
import type { WorkgroupRule } from '../../gpu/workgroups';
import type { ConvDtype } from '../../numbers/dtypes';
import { type ConvShape, endValues } from '../shared/conv_shape';
import type { TileChoice } from '../shared/gemm_tile';
import type { Size } from '../shared/tile_grid';

export type { ConvShape };

/** One way to compute a convolution of a tensor. */
export interface PlainConv {
  readonly kernel: (weights: ConvDtype, ends: 'plain' | 'added') => Kernel;
  /**
   * How workgroups cover a batch, and what the kernel asks for beyond the shape.
   * @param choice of a kernel with several tiles
   * @throws ScoreCamError `limit`
   */
  readonly cover: (label: string, shape: ConvShape, batch: number, choice: TileChoice) => Cover;
}

export interface Cover {
  readonly workgroups: readonly [number, number, number];
  readonly values: Readonly<Record<string, number>>;
}

/** One way to compute a convolution of an image under masks: patch by patch, all of them or those listed. */
export interface MaskedConv {
  readonly kernel: (variant: { weights: ConvDtype; places: 'all' | 'listed' }) => Kernel;
  readonly patch: (shape: ConvShape) => Size;
  /** How workgroups follow from the number of patches. */
  readonly rule: (shape: ConvShape) => WorkgroupRule;
  /** What the kernel asks for beyond the shape. */
  readonly values?: (shape: ConvShape) => Readonly<Record<string, number>>;
}

/**
 * A kernel with a value for everything that its text asks for: a name in capitals specialises the pipeline, one in
 * small letters is a uniform.
 * @param others what does not follow from the shape, or ends otherwise than plainly
 */
export function convValues(
  kernel: Kernel,
  shape: ConvShape,
  others: Readonly<Record<string, number>>,
): Pick<Dispatch, 'kernel' | 'constants' | 'params'> {
  const values: Readonly<Record<string, number>> = {
    ...endValues(shape, {}),
    ...others,
    in_channels: shape.inChannels,
    out_channels: shape.outChannels,
    height: shape.height,
    width: shape.width,
    kernel: shape.kernel,
    activation: shape.activation,
    pool: shape.pool ? 1 : 0,
  };
  const pick = (names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, values[name.toLowerCase()] as number]));
  return {
    kernel,
    constants: pick([...kernel.constants, ...kernel.overrides]),
    params: pick(kernel.params.map(({ name }) => name)),
  };
}

/** Height and width of the output. */
export function outputSize(shape: ConvShape): { height: number; width: number } {
  const scale = shape.pool ? 2 : 1;
  return { height: Math.floor(shape.height / scale), width: Math.floor(shape.width / scale) };
}
