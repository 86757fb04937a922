import type { Dispatch, Slice } from '../../gpu/kernel';
import { workgroupsFor } from '../../gpu/workgroups';
import { ceilDiv } from '../../numbers/padding';
import { only } from '../family';
import type { TileGrid } from '../shared/tile_grid';
import source from './grow_tiles.wgsl';

const kernel = only(source);

export interface GrowTilesArgs {
  readonly label: string;
  readonly masks: number;
  /** [masks, words] */
  readonly bits: Slice;
  readonly words: number;
  /** Where the result's bits begin, and the tiles they are of. */
  readonly firstWord: number;
  readonly grid: TileGrid;
  /** Where the other grid's bits begin. Both grids lie over the same pixels. Without one, all tiles are set. */
  readonly otherWord?: number | undefined;
  readonly other?: TileGrid | undefined;
  /** Leave out the tiles of `grid` that are set here. */
  readonly exceptWord?: number | undefined;
}

/** Sets the bits of the tiles that touch set tiles of another grid. */
export function growTiles(args: GrowTilesArgs): Dispatch {
  const { label, masks, bits, words, grid, other, exceptWord } = args;
  return {
    kernel,
    label,
    constants: { ALL: Number(other === undefined), EXCEPT: Number(exceptWord !== undefined) },
    params: {
      masks,
      words,
      first_word: args.firstWord,
      other_word: args.otherWord ?? 0,
      except_word: exceptWord ?? 0,
      tiles: grid.down * grid.across,
      across: grid.across,
      tile_height: grid.tileHeight,
      tile_width: grid.tileWidth,
      other_across: other?.across ?? 1,
      other_height: other?.tileHeight ?? 1,
      other_width: other?.tileWidth ?? 1,
      height: grid.height,
      width: grid.width,
    },
    buffers: { bits },
    workgroups: workgroupsFor(label, masks * ceilDiv(grid.down * grid.across, 32), 64),
  };
}
