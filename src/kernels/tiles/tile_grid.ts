export * from '../shared/tile_grid';
