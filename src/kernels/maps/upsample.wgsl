// Bilinear upsampling, with ReLU after it where asked for.
//
//   output[m, y, x] = max(upsampled(m, y, x), 0)   with RELU, else without the max
//
// Shapes: maps [count, MAP_HEIGHT, MAP_WIDTH], output [count, HEIGHT, WIDTH].
// One invocation an output value: reads 16 bytes of the map, which stays in the cache, writes 4, about
// 16 FLOP. ReLU comes after the interpolation, as in the official code: clipping the low-resolution
// map first would give another contour.

import package::shared::upsampled_map::{column_taps, maps, row_taps, upsampled};
import package::shared::size::{HEIGHT, WIDTH};

override RELU: bool;

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.count * HEIGHT * WIDTH) {
    return;
  }
  let x = i % WIDTH;
  let y = (i / WIDTH) % HEIGHT;
  let value = upsampled(i / (WIDTH * HEIGHT), row_taps(y), column_taps(x));
  output[i] = select(value, max(value, 0.0), RELU);
}
