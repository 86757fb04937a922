import { outputSize } from '../../src/kernels/convolution/conv_kernel';
import { PATCH } from '../../src/kernels/convolution/conv_registers';
import { TILE } from '../../src/kernels/winograd/winograd';
import type { Step } from '../../src/plan/steps';

/*
 * Which tiles masks reach, pixel by pixel on the CPU: what src/runtime/skipping.ts is held against.
 */

/** Where a tensor may differ from the zero image's: one byte a pixel, 1 there. */
export interface Region {
  readonly height: number;
  readonly width: number;
  readonly pixels: Uint8Array;
}

/** One map as the mask is made of it. */
export interface MaskMap {
  /** [height, width] */
  readonly data: Float32Array;
  readonly height: number;
  readonly width: number;
  /** Its smallest value after upsampling, which the mask turns to 0. */
  readonly min: number;
  readonly alignCorners: boolean;
}

/**
 * Where the mask made of a map can be other than exactly 0: at pixels that take a share of a sample above the
 * smallest value. A sample at the smallest value becomes exactly 0 before it is interpolated.
 */
export function maskRegion(map: MaskMap, height: number, width: number): Region {
  const rows = taps(map.height, height, map.alignCorners);
  const columns = taps(map.width, width, map.alignCorners);
  // Across first, sample row by sample row; then down.
  const wide = new Uint8Array(map.height * width);
  for (let y = 0; y < map.height; y++) {
    columns.forEach(([low, high], x) => {
      for (let i = low; i <= high; i++) {
        if (map.data[y * map.width + i] !== map.min) wide[y * width + x] = 1;
      }
    });
  }
  const pixels = new Uint8Array(height * width);
  rows.forEach(([low, high], y) => {
    for (let i = low; i <= high; i++) merge(pixels, y * width, wide, i * width, width);
  });
  return { height, width, pixels };
}

/** How far a kernel's position, in f32, may be off: far more than it is (bilinear.wgsl), far less than a sample. */
const POSITION_ERROR = 1e-3;

/** The samples an output position may take a share of: the first and the last. */
function taps(from: number, to: number, alignCorners: boolean): [number, number][] {
  const last = from - 1;
  return Array.from({ length: to }, (_, i) => {
    const exact = alignCorners ? (i * last) / Math.max(1, to - 1) : ((i + 0.5) * from) / to - 0.5;
    const position = Math.min(last, Math.max(0, exact));
    const low = Math.max(0, Math.floor(position - POSITION_ERROR));
    return [low, Math.min(last, Math.ceil(position + POSITION_ERROR))];
  });
}

/** target[at ...] |= source[from ...] */
function merge(
  target: Uint8Array,
  at: number,
  source: Uint8Array,
  from: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) {
    target[at + i] = (target[at + i] as number) | (source[from + i] as number);
  }
}

/** The region after a 3x3 convolution: one pixel more on each side. */
function dilate({ height, width, pixels }: Region): Region {
  const wide = pixels.slice();
  for (let y = 0; y < height; y++) {
    merge(wide, y * width + 1, pixels, y * width, width - 1);
    merge(wide, y * width, pixels, y * width + 1, width - 1);
  }
  const grown = wide.slice();
  merge(grown, width, wide, 0, (height - 1) * width);
  merge(grown, 0, wide, width, (height - 1) * width);
  return { height, width, pixels: grown };
}

/** The region after 2x2 pooling; an odd last row or column is dropped, as the pooling drops it. */
function pool(region: Region): Region {
  const height = Math.floor(region.height / 2);
  const width = Math.floor(region.width / 2);
  const pixels = new Uint8Array(height * width);
  for (let y = 0; y < 2 * height; y++) {
    for (let x = 0; x < 2 * width; x++) {
      const at = (y >> 1) * width + (x >> 1);
      pixels[at] = (pixels[at] as number) | (region.pixels[y * region.width + x] as number);
    }
  }
  return { height, width, pixels };
}

/** Tiles of a region that hold anything, numbered row by row. */
export function activeTiles(
  { height, width, pixels }: Region,
  tile: { readonly height: number; readonly width: number },
): Uint32Array {
  const across = Math.ceil(width / tile.width);
  const active = new Uint8Array(Math.ceil(height / tile.height) * across);
  for (let y = 0; y < height; y++) {
    const row = Math.floor(y / tile.height) * across;
    for (let x = 0; x < width; x++) {
      if (pixels[y * width + x]) active[row + Math.floor(x / tile.width)] = 1;
    }
  }
  return Uint32Array.from([...active.keys()].filter((i) => active[i]));
}

/** The region of whole tiles. */
function wholeTiles(
  { height, width }: Region,
  tile: { readonly height: number; readonly width: number },
  active: Uint32Array,
): Region {
  const pixels = new Uint8Array(height * width);
  const across = Math.ceil(width / tile.width);
  for (const index of active) {
    const top = Math.floor(index / across) * tile.height;
    const left = (index % across) * tile.width;
    const right = Math.min(left + tile.width, width);
    for (let y = top; y < Math.min(top + tile.height, height); y++) {
      pixels.fill(1, y * width + left, y * width + right);
    }
  }
  return { height, width, pixels };
}

/** The tiles that one mask reaches in one convolution, of how many. */
export interface StepTiles {
  readonly active: Uint32Array;
  readonly total: number;
}

/** Tiles of the first convolution, whose patches it computes, and of those by Winograd. */
export const FIRST_TILE = PATCH;
export const WINOGRAD_TILE = { height: TILE, width: TILE } as const;

/**
 * The tiles a mask reaches in each of the steps, undefined for steps that are no convolutions. A mask's region
 * grows by a pixel in every 3x3 convolution and halves in every pooling.
 */
export function reachedTiles(mask: Region, steps: readonly Step[]): (StepTiles | undefined)[] {
  let region = mask;
  return steps.map((step, i) => {
    if (step.kind === 'maxpool') region = pool(region);
    if (step.kind !== 'conv') return undefined;
    const shape = step.shape;
    if (shape.kernel === 3) region = dilate(region);
    const tile = i === 0 ? FIRST_TILE : WINOGRAD_TILE;
    const active = activeTiles(region, tile);
    // Direct sums of the same numbers are the same bits; Winograd's depend on the whole tile's.
    if (i > 0) region = wholeTiles(region, tile, active);
    const total = Math.ceil(region.height / tile.height) * Math.ceil(region.width / tile.width);
    if (shape.pool) {
      region = pool(region);
      const { height, width } = outputSize(shape);
      if (height !== region.height || width !== region.width) throw new Error('pooling differs');
    }
    return { active, total };
  });
}

/**
 * The tiles of each step that no mask reaches but that a reached tile of the next step reads; all that are not
 * reached, of the last step.
 */
export function rimTiles(reached: readonly StepTiles[], steps: readonly Step[]): Uint32Array[] {
  return reached.map(({ active, total }, i) => {
    const step = steps[i] as Extract<Step, { kind: 'conv' }>;
    const next = steps[i + 1];
    const own = new Set(active);
    const tile = i === 0 ? FIRST_TILE : WINOGRAD_TILE;
    const size = outputSize(step.shape);
    const scale = step.shape.pool ? 2 : 1;
    const read = new Uint8Array(size.height * size.width).fill(next ? 0 : 1);
    if (next) {
      const across = Math.ceil(size.width / TILE);
      for (const index of reached[i + 1]?.active ?? []) {
        const top = Math.floor(index / across) * TILE;
        const left = (index % across) * TILE;
        for (let y = Math.max(0, top - 1); y < Math.min(top + TILE + 1, size.height); y++) {
          for (let x = Math.max(0, left - 1); x < Math.min(left + TILE + 1, size.width); x++) {
            read[y * size.width + x] = 1;
          }
        }
      }
    }
    const down = Math.ceil(step.layer.input.height / tile.height);
    const across = Math.ceil(step.layer.input.width / tile.width);
    const seen = { height: tile.height / scale, width: tile.width / scale };
    const wanted = new Set<number>();
    read.forEach((is, at) => {
      const row = Math.floor(Math.floor(at / size.width) / seen.height);
      const index = row * across + Math.floor((at % size.width) / seen.width);
      if (is && !own.has(index)) wanted.add(index);
    });
    if (total !== down * across) throw new Error('tiles differ');
    return Uint32Array.from(wanted).sort();
  });
}
