import type { StoredDtype, WeightDtype } from '../numbers/dtypes';

/*
 * Which variants every kernel exists in: the one table of them. The build links exactly these (vite/wgsl.ts), the host
 * picks among them by name (family.ts), benchmarks and reflection tests go through all. Data only.
 */

/**
 * What a kernel may vary in; value v of axis a is the condition `a_v` in WGSL, as in `@if(weights_f16)`.
 * - `weights`: the type of weights in memory (shared/weights.wgsl)
 * - `stored`: the type of Winograd's tensors in memory (winograd/stored.wgsl)
 * - `products`: what products of Winograd's tensors, and sums of a few, are computed in; all others are f32
 * - `places`: whether it goes over all places of a batch, tiles or patches, or over listed ones (shared/places.wgsl)
 * - `pixels`: whether they are a tensor's, or an image's under masks
 * - `run`: pixels of a row that are copied at once
 * - `ends`: whether another tensor is added before the activation, or sums are but parts of what is to be added up
 */
export interface Axes {
  readonly pixels?: readonly ('plain' | 'masked')[];
  readonly products?: readonly ('f32' | 'f16')[];
  readonly stored?: readonly StoredDtype[];
  readonly run?: readonly ('1' | '2' | '4')[];
  readonly ends?: readonly ('plain' | 'added' | 'partial')[];
  readonly places?: readonly ('all' | 'listed')[];
  readonly weights?: readonly WeightDtype[];
}

/**
 * How a kernel covers its outputs, where that is the last word of its file's name. A device computes by one or two of
 * these ways: in a build each has its texts in a chunk of its own, which comes when the first of them is compiled.
 */
const TILINGS = ['registers', 'quads', 'workgroup', 'matrix', 'fused'] as const;

export function tilingOf(file: string): (typeof TILINGS)[number] | undefined {
  return TILINGS.find((tiling) => file.endsWith(`_${tiling}`));
}

type Axis = keyof Axes;

/** In the order in which they stand in a kernel's name, and what each value adds to it. */
const NAMES: { readonly [A in Axis]-?: Readonly<Record<NonNullable<Axes[A]>[number], string>> } = {
  pixels: { plain: '', masked: '_masked' },
  products: { f32: '', f16: '_products' },
  stored: { f32: '', f16: '_half' },
  run: { 1: '', 2: '_by_2', 4: '_by_4' },
  ends: { plain: '', added: '_added', partial: '_partial' },
  places: { all: '', listed: '_listed' },
  weights: { f32: '_f32', f16: '_f16', int8: '_int8' },
};

/** One value for each axis that a kernel has. */
export type Variant = { readonly [A in Axis]?: NonNullable<Axes[A]>[number] };

/** Every combination of the values in one of the rows. */
export type VariantOf<Row> = Row extends Axes
  ? { readonly [A in keyof Row]: Row[A] extends readonly (infer Value)[] ? Value : never }
  : never;

const F32_F16 = { weights: ['f32', 'f16'] } as const;
const ALL_TYPES = { weights: ['f32', 'f16', 'int8'] } as const;
const STORED = { stored: ['f32', 'f16'] } as const;
const PLACES = { places: ['all', 'listed'] } as const;
const ENDS = { ends: ['plain', 'added'] } as const;
const WINDOWS = [
  { pixels: ['plain'], ...ENDS, ...F32_F16 },
  { pixels: ['masked'], ends: ['plain'], ...F32_F16 },
] as const;
const ONE = [{}] as const;

/** By file; a kernel has the combinations of each of its rows. */
export const VARIANTS = {
  // convolution
  conv_registers: [
    { pixels: ['plain'], places: ['all'], ...ENDS, ...F32_F16 },
    { pixels: ['masked'], ...PLACES, ...F32_F16 },
  ],
  conv_quads: [{ ...ENDS, ...F32_F16 }],
  conv_workgroup: [F32_F16],
  conv_naive: [F32_F16],
  masked_conv_workgroup: [{ ...PLACES, ...F32_F16 }],
  turn_filters: [F32_F16],
  // graph
  curve_backward: ONE,
  depthwise_backward: [F32_F16],
  factor_backward: ONE,
  gate_backward: ONE,
  window_average_pool_backward: ONE,
  window_conv_backward: [F32_F16],
  window_max_pool_backward: ONE,
  window_conv_naive: [F32_F16],
  window_conv_registers: WINDOWS,
  window_conv_quads: WINDOWS,
  window_conv_workgroup: WINDOWS,
  depthwise: [{ ...ENDS, ...F32_F16 }],
  window_pool: ONE,
  elementwise: ONE,
  // winograd
  winograd_filters: [{ ...STORED, ...F32_F16 }],
  winograd_input: [{ ...STORED, ...PLACES }],
  winograd_output: [{ ...STORED, ...PLACES }],
  winograd_product_registers: [STORED],
  winograd_product_quads: ONE,
  winograd_product_workgroup: [STORED],
  winograd_product_matrix: [{ stored: ['f16'] }],
  winograd_filters_fused: [{ ...STORED, ...F32_F16 }],
  winograd_fused: [
    { pixels: ['plain', 'masked'], products: ['f32'], ...STORED, ...PLACES },
    { pixels: ['plain'], products: ['f16'], stored: ['f16'], ...PLACES },
  ],
  winograd_filters_4x4_fused: [{ ...STORED, ...F32_F16 }],
  winograd_4x4_fused: [{ ...STORED, ...PLACES }],
  // linear
  linear_registers: [ALL_TYPES],
  linear_quads: [ALL_TYPES],
  linear_workgroup: [{ ends: ['plain', 'partial'], ...ALL_TYPES }],
  linear_sums: ONE,
  linear_naive: [ALL_TYPES],
  linear_backward: [ALL_TYPES],
  linear_columns: ONE,
  // tiles
  mask_tiles: ONE,
  grow_tiles: ONE,
  count_tiles: ONE,
  list_tiles: ONE,
  // Over listed tiles alone: a pass that needs all of them filled in skips nothing.
  fill_tiles: [{ run: ['1', '2', '4'], places: ['listed'] }],
  // maps
  map_ranges: ONE,
  upsample: ONE,
  upsample_normalise: ONE,
  weighted_sum: ONE,
  normalise_map: ONE,
  mask_backward: ONE,
  upsample_backward: ONE,
  map_products: ONE,
  adam: ONE,
  overlay: ONE,
  // layers
  activation_backward: ONE,
  global_average_pool: ONE,
  global_average_pool_backward: ONE,
  largest_magnitude: ONE,
  max_pool: ONE,
  max_pool_backward: ONE,
  softmax: ONE,
  // inputs
  ablate_channels: ONE,
  apply_mask: ONE,
  reveal_pixels: ONE,
  single_positions: ONE,
} as const satisfies Readonly<Record<string, readonly Axes[]>>;

/** All variants of a kernel. */
export function variantsOf(rows: readonly Axes[]): Variant[] {
  return rows.flatMap((row) =>
    axesOf(row).reduce<Variant[]>(
      (variants, axis) =>
        variants.flatMap(
          (variant) => row[axis]?.map((value) => ({ ...variant, [axis]: value })) ?? [],
        ),
      [{}],
    ),
  );
}

const axesOf = (of: Axes | Variant): Axis[] =>
  (Object.keys(NAMES) as Axis[]).filter((axis) => of[axis] !== undefined);

/** What holds in WGSL for a variant: `@if(weights_f16)`. */
export function conditionsOf(variant: Variant): Record<string, boolean> {
  return Object.fromEntries(axesOf(variant).map((axis) => [`${axis}_${variant[axis]}`, true]));
}

/** A kernel's name: its file's, and what is not the plain case. */
export function nameOf(file: string, variant: Variant): string {
  const endings = axesOf(variant).map(
    (axis) => (NAMES[axis] as Readonly<Record<string, string>>)[variant[axis] as string],
  );
  return `${file}${endings.join('')}`;
}
