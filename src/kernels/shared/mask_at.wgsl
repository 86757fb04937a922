// One pixel of a mask, for kernels that have masks fused in: they evaluate it where they read the image, and store it
// nowhere but in workgroup memory.
//
//   up_m[y, x]   = map channels[first_mask + m], bilinearly upsampled to HEIGHT x WIDTH
//   mask_m[y, x] = (up_m[y, x] - min) / (max - min), min and max from ranges; 0 outside of the image
//
// Shapes: maps [K, MAP_HEIGHT, MAP_WIDTH], ranges [K] (min, max). A constant map (max = min) gives a mask of zero.

import package::shared::size::{HEIGHT, WIDTH};
import package::shared::upsampled_map::{column_taps, row_taps, upsampled};

@group(0) @binding(6) var<storage, read> ranges: array<vec2f>;

// Unsigned: a position left of or above the image wraps to a huge one, so one test is enough.
fn mask_at(map: u32, y: u32, x: u32) -> f32 {
  let range = ranges[map];
  let inside = y < HEIGHT && x < WIDTH && range.y > range.x;
  let value = upsampled(map, row_taps(min(y, HEIGHT - 1u)), column_taps(min(x, WIDTH - 1u)));
  return select(0.0, (value - range.x) / (range.y - range.x), inside);
}

// Four in a row, from column x on.
fn mask_of_four(map: u32, y: u32, x: u32) -> vec4f {
  return vec4f(mask_at(map, y, x), mask_at(map, y, x + 1u), mask_at(map, y, x + 2u), mask_at(map, y, x + 3u));
}
