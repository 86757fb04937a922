import { ceilDiv } from '../../numbers/padding';

/*
 * The tiles of matrix products in workgroup memory (conv_workgroup.wgsl, winograd_product_workgroup.wgsl).
 */

/** Invocations of a workgroup each way; each computes 8 x 8, so the tile is 8 times as large each way. */
export interface GemmTile {
  readonly rows: number;
  readonly cols: number;
}

/** Which tile a kernel takes: this one, or one chosen by shape. */
export interface TileChoice {
  readonly tile?: GemmTile | undefined;
  /** Of what is chosen by shape. Default: what WebGPU's core has, 256; compatibility mode has 128. */
  readonly maxInvocations?: number | undefined;
  /** Of the tiling `quads`: how many a subgroup is. Default 1, which computes the same on larger ones. */
  readonly quads?: number | undefined;
}

/** Of winograd_product_workgroup.wgsl, from the largest, which reads least, to the smallest, which fits best. */
export const PRODUCT_TILES: readonly GemmTile[] = [
  { rows: 16, cols: 16 },
  { rows: 8, cols: 16 },
  { rows: 16, cols: 8 },
  { rows: 8, cols: 8 },
];

/** Of conv_workgroup.wgsl; the last is for layers with few channels. */
export const CONV_TILES: readonly GemmTile[] = [...PRODUCT_TILES, { rows: 4, cols: 16 }];

/** Those that so many invocations compute; some at 64 and more. */
export function tilesWithin(tiles: readonly GemmTile[], maxInvocations = 256): GemmTile[] {
  return tiles.filter(({ rows, cols }) => rows * cols <= maxInvocations);
}

/** Workgroups that keep a large GPU busy: about two for each of a hundred and more cores. */
const ENOUGH_WORKGROUPS = 256;

/** A larger tile may compute so much more than the best fitting would: what it saves in loads. */
const WASTE = 1.125;

/**
 * The tile for `matrices` products of height x width, from the largest to the smallest: the first that leaves little
 * of itself unused and is cut into enough workgroups; where none is, the one that leaves least unused and is cut
 * into most. Pure, and by counting: not measured on a GPU.
 */
export function chooseGemmTile(
  tiles: readonly GemmTile[],
  height: number,
  width: number,
  matrices = 1,
): GemmTile {
  const covers = tiles.map((tile) => {
    const each = ceilDiv(height, 8 * tile.rows) * ceilDiv(width, 8 * tile.cols);
    return { tile, workgroups: each * matrices, area: each * tile.rows * tile.cols };
  });
  const least = Math.min(...covers.map(({ area }) => area));
  const fitting = covers.find(
    ({ area, workgroups }) => area <= WASTE * least && workgroups >= ENOUGH_WORKGROUPS,
  );
  const [tightest] = covers.toSorted((a, b) => a.area - b.area || b.workgroups - a.workgroups);
  return (fitting ?? tightest)?.tile as GemmTile;
}

/** As it appears in names of methods: outputs, not invocations. */
export function tileName({ rows, cols }: GemmTile): string {
  return `${8 * rows}x${8 * cols}`;
}
