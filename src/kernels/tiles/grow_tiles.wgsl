// Which tiles touch set tiles of a neighbouring layer: one bit a tile.
//
//   bit t = 1 if any pixel under tile t, or at most one pixel beside it, belongs to a set tile of the other grid
//           (where ALL, any tile at all), and, where EXCEPT, tile t itself is not set at except_word
//
// Two uses. Forward, growth by the receptive field: the tiles of a 3x3 convolution that read a tile reached in
// the layer below. Backward, the rim: the tiles below that were not reached, yet are read by a reached one,
// and so must be filled in.
//
// Both grids lie over one layer of height x width pixels, the upper one's input: tiles of tile_height x
// tile_width, across of them in a row, against other_height x other_width, other_across. A tile wholly beyond
// the layer (a row that a pooling drops) touches nothing. One invocation a word of 32 tiles.
// Shapes: bits [masks, words]; reads from other_word on, writes ceil(tiles / 32) words from first_word on.
// Precondition: a tile touches fewer than 32 tiles of a row of the other grid.

override ALL: bool;
override EXCEPT: bool;

struct Params {
  masks: u32,
  words: u32,
  first_word: u32,
  other_word: u32,
  except_word: u32,
  tiles: u32,
  across: u32,
  tile_height: u32,
  tile_width: u32,
  other_across: u32,
  other_height: u32,
  other_width: u32,
  height: u32,
  width: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> bits: array<u32>;

// Tiles of the other grid, first and last, that touch one row or column of tiles.
fn touched(tile: u32, size: u32, layer: u32, other: u32) -> vec2u {
  let first = max(tile * size, 1u) - 1u;
  return vec2u(first, min((tile + 1u) * size, layer - 1u)) / other;
}

// Whether any of the tiles first to last is set, fewer than 32 of them: in two words at most.
fn any_set(list: u32, first: u32, last: u32) -> bool {
  let shift = first % 32u;
  var run = bits[list + first / 32u] >> shift;
  if (last / 32u > first / 32u) {
    run |= bits[list + last / 32u] << (32u - shift);
  }
  return (run & ((2u << (last - first)) - 1u)) != 0u;
}

fn touches(start: u32, tile: u32) -> bool {
  let row = tile / params.across;
  let column = tile % params.across;
  if (row * params.tile_height >= params.height || column * params.tile_width >= params.width) {
    return false;
  }
  if (ALL) {
    return true;
  }
  let rows = touched(row, params.tile_height, params.height, params.other_height);
  let columns = touched(column, params.tile_width, params.width, params.other_width);
  for (var y = rows.x; y <= rows.y; y++) {
    let row_start = y * params.other_across;
    if (any_set(start + params.other_word, row_start + columns.x, row_start + columns.y)) {
      return true;
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
  let start = index / own * params.words;
  let word = index % own;
  var asked = 0xffffffffu >> (32u - min(32u, params.tiles - word * 32u));
  if (EXCEPT) {
    asked &= ~bits[start + params.except_word + word];
  }
  var found = 0u;
  while (asked != 0u) {
    let bit = asked & (~asked + 1u);
    found |= select(0u, bit, touches(start, word * 32u + firstTrailingBit(asked)));
    asked ^= bit;
  }
  bits[start + params.first_word + word] = found;
}
