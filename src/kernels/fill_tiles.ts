import code from './fill_tiles.wgsl?raw';
import { gridOf } from './grid';
import { type Dispatch, defineKernel, type Slice } from './kernel';
import { listedPlaces, type Places } from './places';
import type { TileGrid } from './tile_grid';

const listed = listedPlaces(3);

/** Only over listed tiles: a pass that needs all of them filled in skips nothing. */
export const fillTilesKernel = defineKernel({
  name: `fill_tiles${listed.ending}`,
  code: `${listed.prefix}\n${code}`,
  params: ['channels', 'height', 'width', 'tiles', 'across', 'tile_height', 'tile_width'].map(
    (name) => ({ name, type: 'u32' }),
  ),
  storage: [
    { name: 'tensor', access: 'read' },
    { name: 'output', access: 'read_write' },
    ...listed.storage,
  ],
});

export interface FillTilesArgs {
  readonly label: string;
  readonly channels: number;
  /** Tiles of the output. */
  readonly grid: TileGrid;
  readonly places: Places;
  /** [channels, height, width] */
  readonly tensor: Slice;
  /** [batch, channels, height, width] */
  readonly output: Slice;
}

/** Copies the listed tiles of a tensor into a batch of such tensors. */
export function fillTiles({
  label,
  channels,
  grid,
  places,
  tensor,
  output,
}: FillTilesArgs): Dispatch {
  return {
    kernel: fillTilesKernel,
    label,
    constants: {},
    params: {
      channels,
      height: grid.height,
      width: grid.width,
      tiles: grid.down * grid.across,
      across: grid.across,
      tile_height: grid.tileHeight,
      tile_width: grid.tileWidth,
    },
    buffers: { tensor, output, places: places.list },
    workgroups: gridOf(label, places.count * channels, 64),
  };
}
