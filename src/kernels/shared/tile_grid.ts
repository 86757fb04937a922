import { ceilDiv } from '../../numbers/padding';

/** Tiles over the pixels of a layer, counted row by row; the last ones may reach beyond. */
export interface TileGrid {
  /** Of the layer. */
  readonly height: number;
  readonly width: number;
  readonly tileHeight: number;
  readonly tileWidth: number;
  readonly down: number;
  readonly across: number;
}

export interface Size {
  readonly height: number;
  readonly width: number;
}

export function tileGrid(layer: Size, tile: Size): TileGrid {
  return {
    height: layer.height,
    width: layer.width,
    tileHeight: tile.height,
    tileWidth: tile.width,
    down: ceilDiv(layer.height, tile.height),
    across: ceilDiv(layer.width, tile.width),
  };
}

/** The same tiles after 2x2 pooling: half as large, on floor(half) the pixels; some may lie wholly beyond. */
export function pooledGrid(grid: TileGrid): TileGrid {
  return {
    ...grid,
    height: Math.floor(grid.height / 2),
    width: Math.floor(grid.width / 2),
    tileHeight: grid.tileHeight / 2,
    tileWidth: grid.tileWidth / 2,
  };
}
