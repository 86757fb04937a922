import type { Dispatch, Slice } from '../../gpu/kernel';
import { MORE, workgroupsOver } from '../../gpu/workgroups';
import { ceilDiv } from '../../numbers/padding';
import { family } from '../family';
import type { Places } from '../shared/places';
import type { TileGrid } from '../shared/tile_grid';
import type { VARIANTS } from '../variants';
import source from './fill_tiles.wgsl';

const kernels = family<typeof VARIANTS.fill_tiles>(source);

/** The longest run that divides both a row of the tensor and a row of a tile. */
function runOf({ width, tileWidth }: TileGrid): 1 | 2 | 4 {
  const divides = (run: number): boolean => width % run === 0 && tileWidth % run === 0;
  return divides(4) ? 4 : divides(2) ? 2 : 1;
}

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
  const run = runOf(grid);
  return {
    kernel: kernels.pick({ run: `${run}`, places: 'listed' }),
    label,
    constants: {},
    params: {
      places: places.count,
      channels,
      height: grid.height,
      width: grid.width / run,
      tiles: grid.down * grid.across,
      across: grid.across,
      tile_height: grid.tileHeight,
      tile_width: grid.tileWidth / run,
    },
    buffers: { tensor, output, places: places.list },
    workgroups: workgroupsOver(
      label,
      { together: 1, items: ceilDiv(channels, 4), size: 64, y: MORE, z: 1 },
      places.count,
    ),
  };
}
