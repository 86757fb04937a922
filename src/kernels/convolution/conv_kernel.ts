import { defineKernel, type Kernel, type Param } from '../../gpu/kernel';
import type { ConvDtype } from '../../numbers/dtypes';
import bilinear from '../shared/bilinear.wgsl?raw';
import type { GemmTile } from '../shared/gemm_tile';
import { type ByPlaces, byPlaces } from '../shared/places';
import { kernelsByDtype } from '../shared/weight_dtype';

/** A convolution of stride 1 with zero padding, its activation and an optional pooling behind it. */
export interface ConvShape {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly height: number;
  readonly width: number;
  readonly kernel: 1 | 3;
  /** Activation max(x, 0) + slope min(x, 0): 0 is ReLU, 0.1 a leaky ReLU, 1 none. */
  readonly slope: number;
  /** 2x2 max pooling after the activation: output is floor(height / 2) x floor(width / 2). */
  readonly pool: boolean;
}

export type WorkgroupCount = readonly [number, number, number];

type Kernels = Readonly<Record<ConvDtype, Kernel>>;

/** One way to compute a convolution: a kernel a type of weights, and how many workgroups cover a batch. */
export interface ConvVariant {
  readonly kernels: Kernels;
  readonly workgroups: (shape: ConvShape, batch: number) => WorkgroupCount;
  /** Of a kernel with several tiles, its overrides ROWS and COLS. */
  readonly tile?: (shape: ConvShape, batch: number) => GemmTile;
}

/**
 * Where a variant takes the values of a dispatch from: an override in capitals specialises the
 * pipeline, a parameter in small letters is a uniform.
 */
interface Inputs {
  readonly overrides: readonly string[];
  readonly params: readonly Param[];
}

const u32 = (name: string): Param => ({ name, type: 'u32' });
const f32 = (name: string): Param => ({ name, type: 'f32' });

const SHAPE = ['IN_CHANNELS', 'OUT_CHANNELS', 'HEIGHT', 'WIDTH', 'KERNEL', 'SLOPE', 'POOL'];
const SIZES = ['in_channels', 'out_channels', 'height', 'width'].map(u32);

/** One pipeline a shape. */
export const SPECIALISED: Inputs = { overrides: SHAPE, params: [] };
export const MASKED_SPECIALISED: Inputs = {
  overrides: [...SHAPE, 'MAP_HEIGHT', 'MAP_WIDTH', 'ALIGN_CORNERS'],
  params: [u32('places'), u32('first_mask')],
};

/** One pipeline a shape and tile. */
export const TILED: Inputs = { overrides: [...SHAPE, 'ROWS', 'COLS'], params: [u32('batch')] };

/** One pipeline for all shapes: where compiling takes longer than constants save. */
export const GENERAL: Inputs = {
  overrides: ['KERNEL', 'POOL'],
  params: [u32('batch'), ...SIZES, f32('slope')],
};
export const MASKED_GENERAL: Inputs = {
  overrides: ['KERNEL', 'POOL', 'ALIGN_CORNERS'],
  params: [
    u32('places'),
    u32('first_mask'),
    ...SIZES,
    u32('map_height'),
    u32('map_width'),
    f32('slope'),
  ],
};

const WEIGHTS_AND_OUTPUT = [
  { name: 'weights', access: 'read' },
  { name: 'bias', access: 'read' },
  { name: 'output', access: 'read_write' },
] as const;

/** Declares a convolution of a tensor; one of four_*.wgsl goes in front of its text. */
export function defineConv(name: string, code: string, inputs: Inputs): Kernels {
  return kernelsByDtype(['f32', 'f16'], name, (fullName, prefix) =>
    defineKernel({
      name: fullName,
      code: `${prefix}\n${code}`,
      ...inputs,
      storage: [{ name: 'input', access: 'read' }, ...WEIGHTS_AND_OUTPUT],
    }),
  );
}

const MASKED_STORAGE = [
  { name: 'image', access: 'read' },
  { name: 'maps', access: 'read' },
  { name: 'ranges', access: 'read' },
  { name: 'channels', access: 'read' },
  ...WEIGHTS_AND_OUTPUT,
] as const;

/** Declares a convolution of image * mask; bilinear.wgsl goes in front of its text too. */
export function defineMaskedConv(name: string, code: string, inputs: Inputs): Kernels {
  return kernelsByDtype(['f32', 'f16'], name, (fullName, prefix) =>
    defineKernel({
      name: fullName,
      code: `${bilinear}\n${prefix}\n${code}`,
      ...inputs,
      storage: MASKED_STORAGE,
    }),
  );
}

/** The same for a kernel that goes over all patches of a batch, or over those listed. */
export function defineMaskedConvByPlaces(
  name: string,
  code: string,
  inputs: Inputs,
): ByPlaces<Kernels> {
  return byPlaces(1 + MASKED_STORAGE.length, ({ ending, prefix: places, storage }) =>
    kernelsByDtype(['f32', 'f16'], `${name}${ending}`, (fullName, prefix) =>
      defineKernel({
        name: fullName,
        code: `${bilinear}\n${places}\n${prefix}\n${code}`,
        ...inputs,
        storage: [...MASKED_STORAGE, ...storage],
      }),
    ),
  );
}

/** Height and width of the output. */
export function outputSize(shape: ConvShape): { height: number; width: number } {
  const scale = shape.pool ? 2 : 1;
  return { height: Math.floor(shape.height / scale), width: Math.floor(shape.width / scale) };
}
