// Listed tiles of a batch copied from one tensor: what stands where a mask does not reach.
// `Run` is copied at once: one, two or four pixels of a row.
//
//   output[n, c, y, x] = tensor[c, y, x]   for the pixels of every listed tile
//
// Shapes: tensor [channels, height, width]; output [batch, channels, height, width]; a tile is tile_height x
// tile_width, across in a row, tiles in an image; widths are counted in runs. One invocation a tile and four channels
// (one channel: 1.6 to 2 times as slow on SwiftShader), neighbours on neighbouring tiles. Reads and writes 4 bytes a
// pixel.
// Preconditions: fewer than 2^31 elements.

import package::shared::places::place_of;

@if(run_1) alias Run = f32;
@if(run_2) alias Run = vec2f;
@if(run_4) alias Run = vec4f;

struct Params {
  places: u32,
  channels: u32,
  height: u32,
  width: u32,
  tiles: u32,
  across: u32,
  tile_height: u32,
  tile_width: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> tensor: array<Run>;
@group(0) @binding(2) var<storage, read_write> output: array<Run>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  let blocks = (params.channels + 3u) / 4u;
  if (index >= params.places * blocks) {
    return;
  }
  let place = place_of(index % params.places);
  let first = index / params.places * 4u;
  let rest = params.channels - first;
  let n = place / params.tiles;
  let tile = place % params.tiles;
  let top = tile / params.across * params.tile_height;
  let left = tile % params.across * params.tile_width;
  let size = params.height * params.width;
  let image = n * params.channels * size;
  for (var y = top; y < min(top + params.tile_height, params.height); y++) {
    for (var x = left; x < min(left + params.tile_width, params.width); x++) {
      let at = first * size + y * params.width + x;
      output[image + at] = tensor[at];
      if (rest > 1u) {
        output[image + at + size] = tensor[at + size];
      }
      if (rest > 2u) {
        output[image + at + 2u * size] = tensor[at + 2u * size];
      }
      if (rest > 3u) {
        output[image + at + 3u * size] = tensor[at + 3u * size];
      }
    }
  }
}
