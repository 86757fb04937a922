// Which tiles of a convolution masks reach: one bit a tile, straight from the maps that the masks are made of.
//
//   bit t of mask m = 1 if any sample of map channels[m] that the pixels under tile t take a share of is above
//                     the map's smallest value after upsampling; 0 if the mask is exactly 0 all over them
//
// The pixels under a tile of tile_height x tile_width are those it reads: border more on each side; doubled
// where a pooling lies below (scale 2); and border_below more, where a convolution lies below that. Positions
// in the map rise with the pixel, so the samples are a rectangle: from the first pixel's low one to the last
// pixel's high one. A position, in f32, is off by far less than the margin of 1e-3, a margin far below a sample.
//
// Shapes: maps [K, map_height, map_width]; ranges [K] (min, max); channels [masks]; bits [masks, words], of which
// this writes ceil(tiles / 32) words from first_word on. One invocation a word: 32 tiles of a few samples each.
// Preconditions: fewer than 2^31 elements; height and width are the image's, layer_height and layer_width the
// tiled layer's own.

import package::shared::bilinear::bilinear_positions;

override ALIGN_CORNERS: bool;

struct Params {
  masks: u32,
  words: u32,
  first_word: u32,
  tiles: u32,
  across: u32,
  tile_height: u32,
  tile_width: u32,
  border: u32,
  scale: u32,
  border_below: u32,
  layer_height: u32,
  layer_width: u32,
  height: u32,
  width: u32,
  map_height: u32,
  map_width: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> maps: array<f32>;
@group(0) @binding(2) var<storage, read> ranges: array<vec2f>;
@group(0) @binding(3) var<storage, read> channels: array<u32>;
@group(0) @binding(4) var<storage, read_write> bits: array<u32>;

const MARGIN = 1e-3;

// First and last sample that the pixels under one row or column of tiles take a share of.
fn samples_under(tile: u32, size: u32, layer: u32, image: u32, map: u32) -> vec2u {
  let first = max(tile * size, params.border) - params.border;
  let last = min(tile * size + size - 1u + params.border, layer - 1u);
  let low = max(first * params.scale, params.border_below) - params.border_below;
  let high = min((last + 1u) * params.scale - 1u + params.border_below, image - 1u);
  let ends = bilinear_positions(vec4f(f32(low), f32(high), 0, 0), map, image, ALIGN_CORNERS);
  let limit = f32(map - 1u);
  return vec2u(clamp(vec2f(floor(ends.x - MARGIN), ceil(ends.y + MARGIN)), vec2f(0), vec2f(limit)));
}

fn reaches(map: u32, tile: u32) -> bool {
  let rows = samples_under(
    tile / params.across, params.tile_height, params.layer_height, params.height, params.map_height);
  let columns = samples_under(
    tile % params.across, params.tile_width, params.layer_width, params.width, params.map_width);
  let least = ranges[map].x;
  for (var y = rows.x; y <= rows.y; y++) {
    for (var x = columns.x; x <= columns.y; x++) {
      if (maps[(map * params.map_height + y) * params.map_width + x] != least) {
        return true;
      }
    }
  }
  return false;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  let own = (params.tiles + 31u) / 32u;
  if (index >= params.masks * own) {
    return;
  }
  let mask = index / own;
  let word = index % own;
  let map = channels[mask];
  var found = 0u;
  for (var i = 0u; i < min(32u, params.tiles - word * 32u); i++) {
    found |= select(0u, 1u << i, reaches(map, word * 32u + i));
  }
  bits[mask * params.words + params.first_word + word] = found;
}
