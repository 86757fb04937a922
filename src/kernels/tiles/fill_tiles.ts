import { type Dispatch, defineKernel, type Kernel, type Slice } from '../../gpu/kernel';
import { MORE, workgroupsOf } from '../../gpu/workgroups';
import { ceilDiv } from '../../numbers/padding';
import { listedPlaces, type Places } from '../shared/places';
import code from './fill_tiles.wgsl?raw';
import type { TileGrid } from './tile_grid';

const listed = listedPlaces(3);

const PARAMS = [
  'places',
  'channels',
  'height',
  'width',
  'tiles',
  'across',
  'tile_height',
  'tile_width',
];

/** Only over listed tiles: a pass that needs all of them filled in skips nothing. */
const copying = (ending: string, run: string): Kernel =>
  defineKernel({
    name: `fill_tiles${ending}${listed.ending}`,
    code: `alias Run = ${run};\n${listed.prefix}\n${code}`,
    params: PARAMS.map((name) => ({ name, type: 'u32' })),
    storage: [
      { name: 'tensor', access: 'read' },
      { name: 'output', access: 'read_write' },
      ...listed.storage,
    ],
  });

/** By the pixels copied at once. */
export const fillTilesKernels = {
  1: copying('', 'f32'),
  2: copying('_by_2', 'vec2f'),
  4: copying('_by_4', 'vec4f'),
};

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
    kernel: fillTilesKernels[run],
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
    workgroups: workgroupsOf(
      label,
      { together: 1, items: ceilDiv(channels, 4), size: 64, y: MORE, z: 1 },
      places.count,
    ),
  };
}
