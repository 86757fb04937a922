// Smallest and largest value of every upsampled map.
//
//   ranges[m] = (min, max) of upsampled(m, y, x) over all y, x
//
// Shapes: maps [count, MAP_HEIGHT, MAP_WIDTH], each read at [HEIGHT, WIDTH]; ranges [count] pairs.
// One workgroup of 64 invocations a map; they share the columns, then one of them reduces the 64
// ranges (512 bytes of workgroup memory). One barrier: a tree would need six, which on a software
// adapter cost more than 64 steps of one invocation.
//
// Only the first and the last output row that fall between the same two map rows are looked at. In
// one column those rows are top + (bottom - top) weight with the same top and bottom; rounding is
// monotone, so even the rounded values rise or fall with the weight and the extremes stand at the
// ends: the result is the same, bit for bit. (Across columns both top and bottom move, and the
// rounded values need not be monotone, so every column is looked at.)
// From 14 x 14 to 224 x 224 that is 30 rows of 224. Reads 16 bytes and does about 20 FLOP a value.

import package::shared::upsampled_map::{MAP_HEIGHT, column_taps, maps, row_taps, upsampled};
import package::shared::size::{HEIGHT, WIDTH};

const INVOCATIONS = 64u;

@group(0) @binding(2) var<storage, read_write> ranges: array<vec2f>;

var<workgroup> partial: array<vec2f, INVOCATIONS>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let map = group.x;
  let first = upsampled(map, row_taps(0u), column_taps(0u));
  var range = vec2f(first);
  var before = MAP_HEIGHT;
  var row = row_taps(0u);
  for (var y = 0u; y < HEIGHT; y++) {
    let next = row_taps(min(y + 1u, HEIGHT - 1u));
    let inside = before == row.low && row.low == next.low && y + 1u < HEIGHT;
    if (!inside) {
      for (var x = index; x < WIDTH; x += INVOCATIONS) {
        let value = upsampled(map, row, column_taps(x));
        range = vec2f(min(range.x, value), max(range.y, value));
      }
    }
    before = row.low;
    row = next;
  }
  partial[index] = range;
  workgroupBarrier();
  if (index == 0u) {
    for (var i = 1u; i < INVOCATIONS; i++) {
      range = vec2f(min(range.x, partial[i].x), max(range.y, partial[i].y));
    }
    ranges[map] = range;
  }
}
