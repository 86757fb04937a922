// Smallest and largest value of every upsampled map, the straightforward way.
//
//   ranges[m] = (min, max) of upsampled(m, y, x) over all y, x
//
// Shapes: maps [count, MAP_HEIGHT, MAP_WIDTH], each read at [HEIGHT, WIDTH]; ranges [count] pairs.
// One invocation a map, every upsampled value computed, none stored. Reads 16 bytes, all from a few
// cache lines, and does about 20 FLOP an upsampled value. Kept as second oracle and as baseline.

import package::shared::upsampled_map::{column_taps, maps, row_taps, upsampled};
import package::shared::size::{HEIGHT, WIDTH};

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read_write> ranges: array<vec2f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let map = id.x + id.y * groups.x * 64u;
  if (map >= params.count) {
    return;
  }
  let first = upsampled(map, row_taps(0u), column_taps(0u));
  var range = vec2f(first);
  for (var y = 0u; y < HEIGHT; y++) {
    let row = row_taps(y);
    for (var x = 0u; x < WIDTH; x++) {
      let value = upsampled(map, row, column_taps(x));
      range = vec2f(min(range.x, value), max(range.y, value));
    }
  }
  ranges[map] = range;
}
