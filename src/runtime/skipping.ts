import type { Arena } from '../gpu/arena';
import type { Gpu } from '../gpu/gpu';
import type { Dispatch, Slice } from '../gpu/kernel';
import type { Places } from '../kernels/shared/places';
import { pooledGrid, type TileGrid, tileGrid } from '../kernels/shared/tile_grid';
import { countTiles } from '../kernels/tiles/count_tiles';
import { fillTiles } from '../kernels/tiles/fill_tiles';
import { growTiles } from '../kernels/tiles/grow_tiles';
import { listTiles } from '../kernels/tiles/list_tiles';
import { maskTiles } from '../kernels/tiles/mask_tiles';
import { ceilDiv } from '../numbers/padding';
import type { ConvStep, Step } from '../plan/steps';

/*
 * Exact skipping (docs/skipping.md). Where a mask is zero the masked image is zero, and wherever a layer sees
 * nothing but what the zero image gives, it puts out what it puts out for the zero image. So only the tiles that
 * a mask reaches are computed; of the rest, what a reached tile reads is filled in from one pass of the zero image.
 */

/** Activation maps and which of them mask the image. */
export interface Masks {
  /** [K, height, width] */
  readonly maps: Slice;
  readonly height: number;
  readonly width: number;
  /** [K] pairs (min, max) of each upsampled map. */
  readonly ranges: Slice;
  /** Mask m is made from map channels[m]; none of them constant. */
  readonly channels: Uint32Array;
  readonly alignCorners: boolean;
}

/** How much of the convolutions' work masks reach. */
export interface Reach {
  /** Of the multiply-adds of all convolutions, over all masks. */
  readonly share: number;
  /** Layer by layer, in order. */
  readonly layers: readonly {
    readonly name: string;
    readonly flop: number;
    readonly share: number;
  }[];
}

/** A convolution whose tiles can be listed. */
interface Tiled {
  readonly step: ConvStep;
  readonly grid: TileGrid;
  /** The grid as the next step sees it. */
  readonly seen: TileGrid;
  /** Words of its two lists in a mask's bits: the tiles that are reached, and those to be filled in. */
  readonly activeWord: number;
  readonly rimWord: number;
  readonly listWords: number;
}

/** Storage bindings start at multiples of so many words (minStorageBufferOffsetAlignment is 256 bytes). */
const ALIGNED_WORDS = 64;

const tilesIn = ({ down, across }: TileGrid): number => down * across;

/** The steps from the first on whose tiles can be listed, up to the first that has none. */
function tiledSteps(features: readonly Step[]): Tiled[] {
  const tiled: Tiled[] = [];
  let words = 0;
  for (const [i, step] of features.entries()) {
    const tile = step.kind === 'conv' ? (step.masked?.tile ?? step.tile) : undefined;
    if (!tile || step.kind !== 'conv') break;
    // What it reads, it alone reads, or others would find tiles that nobody has filled in.
    const isNext = i === 0 || step.last.includes(features[i - 1]?.name as string);
    if (!isNext || step.inputs.length > 1 || step.home) break;
    const grid = tileGrid(step.layer.input, tile);
    const listWords = ceilDiv(tilesIn(grid), 32);
    const seen = step.shape.pool ? pooledGrid(grid) : grid;
    tiled.push({ step, grid, seen, activeWord: words, rimWord: words + listWords, listWords });
    words += 2 * listWords;
  }
  return tiled;
}

/** What the masks of one run reach. */
export class Skipping {
  readonly reach: Reach;
  private readonly tiled: readonly Tiled[];
  private readonly words: number;
  private readonly bits: Slice;
  private readonly counts: Slice;
  private readonly before: Slice;
  /** [masks, 2 lists a tiled step] */
  private readonly counted: Uint32Array;
  private readonly features: readonly Step[];

  private constructor(
    features: readonly Step[],
    tiled: readonly Tiled[],
    words: number,
    bits: Slice,
    counts: Slice,
    before: Slice,
    counted: Uint32Array,
  ) {
    this.features = features;
    this.tiled = tiled;
    this.words = words;
    this.bits = bits;
    this.counts = counts;
    this.before = before;
    this.counted = counted;
    this.reach = this.reachOf();
  }

  /**
   * Finds out, on the GPU, which tiles of which step each mask reaches, and reads back how many.
   * @param arena keeps the bits
   * @returns undefined if not even the first step can
   */
  static async of(
    gpu: Gpu,
    features: readonly Step[],
    masks: Masks,
    arena: Arena,
  ): Promise<Skipping | undefined> {
    const tiled = tiledSteps(features);
    const [first, second] = tiled;
    const last = tiled.at(-1);
    if (!first || !last) return undefined;
    const words = last.rimWord + last.listWords;
    const count = masks.channels.length;
    const bits = arena.take('tile bits', 4 * count * words);
    const borderOf = ({ step }: Tiled): number => (step.layer.kernel - 1) / 2;
    const { height, width } = first.step.layer.input;
    const fromMaps = {
      masks: count,
      maps: masks.maps,
      mapHeight: masks.height,
      mapWidth: masks.width,
      ranges: masks.ranges,
      channels: arena.upload('channels of tile bits', masks.channels),
      alignCorners: masks.alignCorners,
      height,
      width,
      bits,
      words,
    };
    const direct = (own: Tiled, below: Tiled | undefined): Dispatch =>
      maskTiles({
        ...fromMaps,
        label: own.step.name,
        grid: own.grid,
        border: borderOf(own),
        below: below && { border: borderOf(below), pool: below.step.shape.pool },
        firstWord: own.activeWord,
      });
    const dispatches = [direct(first, undefined)];
    // Direct sums of the same numbers are the same bits, pixel by pixel, and so are F(2x2)'s: the second step's tiles
    // come from the maps, too. F(4x4)'s depend on the whole tile's, so from there on whole tiles grow.
    if (second) dispatches.push(direct(second, first));
    const common = { masks: count, bits, words };
    for (let i = 2; i < tiled.length; i++) {
      const [own, below] = [tiled[i] as Tiled, tiled[i - 1] as Tiled];
      dispatches.push(
        growTiles({
          ...common,
          label: own.step.name,
          firstWord: own.activeWord,
          grid: own.grid,
          otherWord: below.activeWord,
          other: below.seen,
        }),
      );
    }
    for (const [i, own] of tiled.entries()) {
      const above = tiled[i + 1];
      dispatches.push(
        growTiles({
          ...common,
          label: `rim of ${own.step.name}`,
          firstWord: own.rimWord,
          grid: own.seen,
          // What comes behind the last of them reads everything.
          ...(above ? { otherWord: above.activeWord, other: above.grid } : {}),
          exceptWord: own.activeWord,
        }),
      );
    }
    const lists = tiled.flatMap(({ activeWord, rimWord, listWords }) => [
      activeWord,
      listWords,
      rimWord,
      listWords,
    ]);
    const counts = arena.take('tile counts', 4 * count * 2 * tiled.length);
    const before = arena.take('tiles before', 4 * count * words);
    dispatches.push(
      countTiles({
        ...common,
        label: 'tiles',
        lists: arena.upload('words of lists', Uint32Array.from(lists)),
        count: 2 * tiled.length,
        counts,
        before,
      }),
    );
    const [read] = await gpu.compute('tiles that masks reach', dispatches, [counts]);
    return new Skipping(features, tiled, words, bits, counts, before, new Uint32Array(read.buffer));
  }

  /** Those whose tiles can be listed. */
  get steps(): readonly Step[] {
    return this.tiled.map(({ step }) => step);
  }

  /** Floating-point operations left of one mask's convolutions. */
  workOf(mask: number): number {
    return this.features.reduce((sum, step, i) => {
      const tiled = this.tiled[i];
      const flop = step.flop;
      return sum + (tiled ? (flop * this.count(mask, 2 * i)) / tilesIn(tiled.grid) : flop);
    }, 0);
  }

  /**
   * Records the making of a batch's lists.
   * @param rows the masks in the order of the run, and the same on the GPU
   * @param arena gives the buffer of the lists, which whoever records the batch releases
   * @param uploads lives as long as the batch
   */
  batch(
    rows: { readonly order: Uint32Array; readonly list: Slice },
    first: number,
    batch: number,
    arena: Arena,
    uploads: Arena,
  ): BatchLists {
    const masks = rows.order.subarray(first, first + batch);
    const lists: number[] = [];
    const found: { at: number; count: number }[] = [];
    let length = 0;
    this.tiled.forEach(({ grid, activeWord, rimWord, listWords }, i) => {
      [activeWord, rimWord].forEach((word, which) => {
        const count = masks.reduce((sum, mask) => sum + this.count(mask, 2 * i + which), 0);
        lists.push(word, listWords, tilesIn(grid), length);
        found.push({ at: length, count });
        length += ALIGNED_WORDS * Math.max(1, ceilDiv(count, ALIGNED_WORDS));
      });
    });
    const places = arena.take('lists of tiles', 4 * length);
    const dispatch = listTiles({
      label: 'lists of tiles',
      firstMask: first,
      batch,
      words: this.words,
      lists: uploads.upload('places of lists', Uint32Array.from(lists)),
      count: found.length,
      rows: rows.list,
      bits: this.bits,
      counts: this.counts,
      before: this.before,
      places,
    });
    const list = (number: number): Places => {
      const { at, count } = found[number] as { at: number; count: number };
      return {
        list: { buffer: places.buffer, offset: 4 * at, size: 4 * Math.max(1, count) },
        count,
      };
    };
    return {
      dispatch,
      places,
      active: (step) => {
        const i = this.indexOf(step);
        return i < 0 ? undefined : list(2 * i);
      },
      fill: (step, tensor, output) => {
        const i = this.indexOf(step);
        const tiled = this.tiled[i];
        const rim = list(2 * i + 1);
        if (!tiled || rim.count === 0) return [];
        const { channels } = tiled.step.output;
        const label = `${tiled.step.name} of zeros`;
        return [fillTiles({ label, channels, grid: tiled.seen, places: rim, tensor, output })];
      },
    };
  }

  private indexOf({ name }: Step): number {
    return this.tiled.findIndex(({ step }) => step.name === name);
  }

  private count(mask: number, list: number): number {
    return this.counted[mask * 2 * this.tiled.length + list] as number;
  }

  private reachOf(): Reach {
    const masks = this.counted.length / (2 * this.tiled.length);
    const layers = this.features.flatMap((step, i) => {
      if (step.kind !== 'conv') return [];
      const tiled = this.tiled[i];
      let active = 0;
      for (let mask = 0; mask < masks; mask++) active += tiled ? this.count(mask, 2 * i) : 1;
      const share = active / (masks * (tiled ? tilesIn(tiled.grid) : 1));
      return [{ name: step.layer.name, flop: step.flop, share }];
    });
    const all = layers.reduce((sum, { flop }) => sum + flop, 0);
    const left = layers.reduce((sum, { flop, share }) => sum + flop * share, 0);
    return { share: all > 0 ? left / all : 1, layers };
  }
}

/** The lists of one batch. */
export interface BatchLists {
  /** Makes them. */
  readonly dispatch: Dispatch;
  /** Holds them. */
  readonly places: Slice;
  /** The tiles that a step computes; undefined if it computes all. */
  active(step: Step): Places | undefined;
  /** Copies the zero image's output `tensor` of a step to where reached tiles of the next step read it. */
  fill(step: Step, tensor: Slice, output: Slice): Dispatch[];
}
