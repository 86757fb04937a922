// The way back through bilinear upsampling: what every sample of a map has in the gradients of the upsampled values.
//
//   result[r, c] = sum over y, x of gradient[y, x] share(r of row y) share(c of column x)
//
// Shapes: gradient [HEIGHT, WIDTH], result [MAP_HEIGHT, MAP_WIDTH]. One invocation a sample of the map: it looks at every row's
// taps, and sweeps those that read it; from 224 x 224 to 14 x 14 that is 30 rows of 224, some 20 FLOP each.

import package::shared::bilinear::bilinear_taps;
import package::shared::size::{HEIGHT, WIDTH};

override MAP_HEIGHT: u32;
override MAP_WIDTH: u32;
override ALIGN_CORNERS: bool;

@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;

// The share that sample `at` of `in_size` has in value `i` of `out_size`.
fn share_of(at: u32, i: u32, in_size: u32, out_size: u32) -> f32 {
  let taps = bilinear_taps(i, in_size, out_size, ALIGN_CORNERS);
  return select(0.0, 1.0 - taps.weight, taps.low == at) + select(0.0, taps.weight, taps.high == at);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= MAP_HEIGHT * MAP_WIDTH) {
    return;
  }
  let row = id.x / MAP_WIDTH;
  let column = id.x % MAP_WIDTH;
  var sum = 0.0;
  for (var y = 0u; y < HEIGHT; y++) {
    let share = share_of(row, y, MAP_HEIGHT, HEIGHT);
    if (share == 0.0) {
      continue;
    }
    var across = 0.0;
    for (var x = 0u; x < WIDTH; x++) {
      across += gradient[y * WIDTH + x] * share_of(column, x, MAP_WIDTH, WIDTH);
    }
    sum += share * across;
  }
  result[id.x] = sum;
}
