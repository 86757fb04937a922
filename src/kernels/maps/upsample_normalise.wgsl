// Masks from activation maps: upsampling and min-max normalisation.
//
//   masks[m, y, x] = (upsampled(c, y, x) - min_c) / (max_c - min_c),  c = channels[first_mask + m]
//
// and 0 everywhere where max_c = min_c: a flat map marks nothing.
// Shapes: maps [count, MAP_HEIGHT, MAP_WIDTH], ranges [count] pairs (min, max) of the upsampled maps
// (map_ranges), channels [at least first_mask + batch], masks [batch, HEIGHT, WIDTH].
// One invocation a mask value: reads 16 bytes of the map, which stays in the cache, writes 4, about
// 20 FLOP. The masked convolution does this on the fly; this kernel is its oracle and baseline.

import package::shared::upsampled_map::{column_taps, maps, row_taps, upsampled};
import package::shared::size::{HEIGHT, WIDTH};

struct Params {
  batch: u32,
  first_mask: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> ranges: array<vec2f>;
@group(0) @binding(3) var<storage, read> channels: array<u32>;
@group(0) @binding(4) var<storage, read_write> masks: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.batch * HEIGHT * WIDTH) {
    return;
  }
  let x = i % WIDTH;
  let y = (i / WIDTH) % HEIGHT;
  let map = channels[params.first_mask + i / (WIDTH * HEIGHT)];
  let range = ranges[map];
  var mask = 0.0;
  if (range.y > range.x) {
    let value = upsampled(map, row_taps(y), column_taps(x));
    // WGSL's division may be off by 2.5 ULP, so even max / max may come out above 1.
    mask = clamp((value - range.x) / (range.y - range.x), 0.0, 1.0);
  }
  masks[i] = mask;
}
