import type { Dispatch, Slice } from '../../gpu/kernel';
import { workgroupsFor } from '../../gpu/workgroups';
import { ceilDiv } from '../../numbers/padding';
import { only } from '../family';
import type { TileGrid } from '../shared/tile_grid';
import source from './mask_tiles.wgsl';

const kernel = only(source);

export interface MaskTilesArgs {
  readonly label: string;
  /** Tiles of the layer, which reads the masked image or stands on the layer that does. */
  readonly grid: TileGrid;
  /** Pixels that the layer reads beyond a tile on each side. */
  readonly border: number;
  /** How the layer below reads the image, if there is one between: its border, and whether it pools. */
  readonly below: { readonly border: number; readonly pool: boolean } | undefined;
  /** Size of the image. */
  readonly height: number;
  readonly width: number;
  readonly masks: number;
  readonly maps: Slice;
  readonly mapHeight: number;
  readonly mapWidth: number;
  readonly ranges: Slice;
  readonly channels: Slice;
  readonly alignCorners: boolean;
  /** [masks, words] */
  readonly bits: Slice;
  readonly words: number;
  readonly firstWord: number;
}

/** Sets the bits of the tiles that each mask reaches. */
export function maskTiles(args: MaskTilesArgs): Dispatch {
  const { label, grid, below, masks, maps, ranges, channels, bits } = args;
  return {
    kernel,
    label,
    constants: { ALIGN_CORNERS: Number(args.alignCorners) },
    params: {
      masks,
      words: args.words,
      first_word: args.firstWord,
      tiles: grid.down * grid.across,
      across: grid.across,
      tile_height: grid.tileHeight,
      tile_width: grid.tileWidth,
      border: args.border,
      scale: below?.pool ? 2 : 1,
      border_below: below?.border ?? 0,
      layer_height: grid.height,
      layer_width: grid.width,
      height: args.height,
      width: args.width,
      map_height: args.mapHeight,
      map_width: args.mapWidth,
    },
    buffers: { maps, ranges, channels, bits },
    workgroups: workgroupsFor(label, masks * ceilDiv(grid.down * grid.across, 32), 64),
  };
}
