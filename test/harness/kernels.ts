import type { Declaration, Kernel, KernelSource } from '../../src/gpu/kernel';
import { KERNEL_NEEDS } from '../../src/gpu/limits';
import { MASKED_TILES } from '../../src/kernels/convolution/masked_conv_workgroup';
import { family } from '../../src/kernels/family';
import {
  CONV_TILES,
  type GemmTile,
  PRODUCT_TILES,
  tilesWithin,
} from '../../src/kernels/shared/gemm_tile';
import { FUSED_4X4_STORAGE, FUSED_INVOCATIONS } from '../../src/kernels/winograd/winograd_fused';
import { matrixLanes } from '../../src/kernels/winograd/winograd_product';

const sources = import.meta.glob<KernelSource>('../../src/kernels/*/*.wgsl', {
  eager: true,
  import: 'default',
});

const texts = import.meta.glob<string>('../../src/kernels/*/*.wgsl', {
  eager: true,
  query: '?raw',
  import: 'default',
});

/** Every .wgsl file of the library: kernels, and modules that they import. */
export const files = Object.entries(texts).map(([path, text]) => ({
  folder: path.split('/').at(-2) as string,
  name: path.replace(/^.*\/(.*)\.wgsl$/, '$1'),
  text,
  isKernel: text.includes('@compute'),
}));

const kernelsOf = (sources: Readonly<Record<string, KernelSource>>): readonly Kernel[] =>
  Object.values(sources).flatMap((source) => family<[]>(source).kernels);

/** Every kernel of the library in every variant. */
export const kernels = kernelsOf(sources);

/** Those of the ladder, and of the measurement of a device's peak. */
export const ladderKernels = kernelsOf(
  import.meta.glob<KernelSource>('../../bench/ladder/*.wgsl', { eager: true, import: 'default' }),
);
export const peakKernels = kernelsOf(
  import.meta.glob<KernelSource>('../../bench/measure/*.wgsl', { eager: true, import: 'default' }),
);

/** A kernel's text, which is at hand in everything but a build. */
export const textOf = (kernel: Kernel): readonly Declaration[] =>
  kernel.text() as readonly Declaration[];

const ofTile = ({ rows, cols }: GemmTile) => ({ ROWS: rows, COLS: cols });

/** Subgroups of 4 to 128 invocations, a workgroup each. */
const LANES = [4, 8, 16, 32, 64, 128].map((lanes) => ({ LANES: lanes }));

const UNITS = [
  { size: 16, subgroupMaxSize: 32 },
  { size: 8, subgroupMaxSize: 64 },
  { size: 8, subgroupMaxSize: 128 },
];

const unitsWithin = (maxInvocations: number) =>
  UNITS.map(({ size, subgroupMaxSize }) => ({
    LANES: matrixLanes(subgroupMaxSize, maxInvocations),
    UNIT_M: size,
    UNIT_N: size,
    UNIT_K: size,
  }));

type Constants = Readonly<Record<string, number>>;

/**
 * Every set of values that the host gives to what a kernel imports from `constants::`, by its file, on devices that have
 * so many invocations a workgroup.
 */
const CONSTANTS: Readonly<Record<string, (maxInvocations: number) => readonly Constants[]>> = {
  conv_quads: () => LANES,
  conv_workgroup: (most) => tilesWithin(CONV_TILES, most).map(ofTile),
  masked_conv_workgroup: () =>
    MASKED_TILES.map(({ groups, high, wide, depth }) => ({
      GROUPS: groups,
      HIGH: high,
      WIDE: wide,
      DEPTH: depth,
    })),
  window_conv_workgroup: (most) => tilesWithin(CONV_TILES, most).map(ofTile),
  winograd_product_workgroup: (most) => tilesWithin(PRODUCT_TILES, most).map(ofTile),
  winograd_product_quads: () => LANES,
  linear_quads: () => LANES,
  linear_workgroup: (most) => tilesWithin(PRODUCT_TILES, most).map(ofTile),
  window_conv_quads: () => LANES,
  winograd_product_matrix: unitsWithin,
  winograd_fused: (most) => (most < FUSED_INVOCATIONS ? [] : [{ SIDES: 1 }, { SIDES: 2 }]),
};

export function constantsOf(
  { name, constants }: Kernel,
  maxInvocations = 256,
): readonly Constants[] {
  if (constants.length === 0) return [{}];
  const file = Object.keys(CONSTANTS).find((own) => name === own || name.startsWith(`${own}_`));
  return (file ? CONSTANTS[file]?.(maxInvocations) : undefined) ?? [];
}

/** Whether a kernel takes larger workgroups than WebGPU's core has: where they are, it is chosen. */
export const isLarge = (name: string): boolean => name.startsWith('winograd_4x4_fused');

/** Bytes of workgroup memory that a kernel may take: more than every device has only where it is chosen by them. */
export function storageOf({ SIDES = 1 }: Constants, name = ''): number {
  if (isLarge(name)) return FUSED_4X4_STORAGE;
  return SIDES * KERNEL_NEEDS.maxComputeWorkgroupStorageSize;
}

/** The extensions that a kernel may enable: those of devices that it is chosen for. */
export function extensionsOf({ name }: Kernel): readonly string[] {
  return [
    ...(/_half(_|$)/.test(name) ? ['f16'] : []),
    ...(/_(quads|matrix)(_|$)/.test(name) ? ['subgroups'] : []),
    ...(/_matrix(_|$)/.test(name) ? ['chromium_experimental_subgroup_matrix'] : []),
  ];
}
