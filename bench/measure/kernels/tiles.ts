import type { Dispatch } from '../../../src/gpu/kernel';
import { type TileGrid, tileGrid } from '../../../src/kernels/shared/tile_grid';
import { countTiles } from '../../../src/kernels/tiles/count_tiles';
import { fillTiles } from '../../../src/kernels/tiles/fill_tiles';
import { growTiles } from '../../../src/kernels/tiles/grow_tiles';
import { listTiles } from '../../../src/kernels/tiles/list_tiles';
import { maskTiles } from '../../../src/kernels/tiles/mask_tiles';
import { batchFor, type Scale } from '../scale';
import { bytesOf, everySecond, type Subject, type Tensors, values } from './subject';

/*
 * What finds and lists the tiles that masks reach: those of conv1_2 of VGG-16 by Winograd, every second one of
 * them reached, and as many to be filled in.
 */

const GRID: TileGrid = tileGrid({ height: 224, width: 224 }, { height: 4, width: 4 });
const TILES = GRID.down * GRID.across;
const LIST_WORDS = TILES / 32;
const WORDS = 2 * LIST_WORDS;
const CHANNELS = 64;
const MAP = 14;
const label = 'tiles';

const masksFor = ({ small }: Scale): number => (small ? 64 : 512);
const counting = (count: number): Uint32Array<ArrayBuffer> =>
  Uint32Array.from({ length: count }, (_, i) => i);

/** Every second bit of all lists of all masks. */
const bitsOf = (tensors: Tensors, masks: number) =>
  tensors.upload('bits', new Uint32Array(masks * WORDS).fill(0x55555555));

/** Tiles of 4 x 4 pixels or, where they are copied by fewer pixels at once, of 4 x 2 or 4 x 1. */
function filling(run: number): Subject {
  return {
    name: run === 1 ? 'fill_tiles' : `fill_tiles_by_${run}`,
    group: 'skipping',
    record(tensors, scale) {
      const grid = tileGrid(GRID, { height: 4, width: run });
      const size = CHANNELS * grid.height * grid.width;
      const batch = batchFor(scale, { flop: 0, bytes: bytesOf(size), largest: bytesOf(size) });
      const list = everySecond(batch * grid.down * grid.across);
      const count = list.length;
      return {
        run: [
          fillTiles({
            label,
            channels: CHANNELS,
            grid,
            places: { list: tensors.upload('places', list), count },
            tensor: tensors.upload('tensor', values(size)),
            output: tensors.take('output', bytesOf(batch * size)),
          }),
        ],
        batch,
        flop: 0,
        bytes: bytesOf(size, (batch * size) / 2),
      };
    },
  };
}

/** @param words read and written a mask */
function subject(
  name: string,
  words: number,
  record: (tensors: Tensors, masks: number) => Dispatch,
): Subject {
  return {
    name,
    group: 'skipping',
    record(tensors, scale) {
      const masks = masksFor(scale);
      const run = [record(tensors, masks)];
      return { run, batch: masks, flop: 0, bytes: bytesOf(masks * words) };
    },
  };
}

export const tileSubjects: readonly Subject[] = [
  subject('mask_tiles', MAP * MAP + LIST_WORDS, (tensors, masks) =>
    maskTiles({
      label,
      grid: GRID,
      border: 1,
      below: { border: 1, pool: false },
      height: 224,
      width: 224,
      masks,
      maps: tensors.upload('maps', values(masks * MAP * MAP)),
      mapHeight: MAP,
      mapWidth: MAP,
      ranges: tensors.upload('ranges', values(2 * masks)),
      channels: tensors.upload('channels', counting(masks)),
      alignCorners: false,
      bits: bitsOf(tensors, masks),
      words: WORDS,
      firstWord: 0,
    }),
  ),
  subject('grow_tiles', 2 * LIST_WORDS, (tensors, masks) =>
    growTiles({
      label,
      masks,
      bits: bitsOf(tensors, masks),
      words: WORDS,
      firstWord: LIST_WORDS,
      grid: GRID,
      otherWord: 0,
      other: GRID,
    }),
  ),
  subject('count_tiles', 2 * WORDS + 2, (tensors, masks) =>
    countTiles({
      label,
      masks,
      words: WORDS,
      lists: tensors.upload('lists', Uint32Array.of(0, LIST_WORDS, LIST_WORDS, LIST_WORDS)),
      count: 2,
      bits: bitsOf(tensors, masks),
      counts: tensors.take('counts', bytesOf(2 * masks)),
      before: tensors.take('before', bytesOf(WORDS * masks)),
    }),
  ),
  subject('list_tiles', 2 * WORDS + 3 + TILES, (tensors, masks) => {
    const second = (masks * TILES) / 2 + 64;
    return listTiles({
      label,
      firstMask: 0,
      batch: masks,
      words: WORDS,
      lists: tensors.upload(
        'lists',
        Uint32Array.of(0, LIST_WORDS, TILES, 0, LIST_WORDS, LIST_WORDS, TILES, second),
      ),
      count: 2,
      rows: tensors.upload('rows', counting(masks)),
      bits: bitsOf(tensors, masks),
      counts: tensors.upload('counts', new Uint32Array(2 * masks).fill(TILES / 2)),
      before: tensors.upload(
        'before',
        counting(WORDS * masks).map((i) => 16 * (i % LIST_WORDS)),
      ),
      places: tensors.take('places', bytesOf(2 * second)),
    });
  }),
  ...[4, 2, 1].map(filling),
];
