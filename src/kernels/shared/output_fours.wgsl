// Where a kernel leaves what it computes by 2 rows of 4 pixels: in one channel, a plane of HEIGHT x WIDTH, or of
// floor(HEIGHT / 2) x floor(WIDTH / 2) with POOL, which keeps the largest of each 2x2 (an odd last row or column is
// dropped). Where WIDTH is a multiple of 4, four lie in a row or none does, and a compiler stores them at once.

import package::shared::size::{HEIGHT, WIDTH};

override POOL: bool;

@group(0) @binding(4) var<storage, read_write> output: array<f32>;

// Rows y and y + 1 of a plane, from column x on, a multiple of 4. Pixel (y, x) exists, others need not, y being even.
fn store_fours(plane: u32, y: u32, x: u32, upper: vec4f, under: vec4f) {
  if (POOL) {
    let width = WIDTH / 2u;
    let largest = max(upper, under);
    let to = (plane * (HEIGHT / 2u) + y / 2u) * width + x / 2u;
    if (y / 2u < HEIGHT / 2u && x / 2u < width) {
      output[to] = max(largest.x, largest.y);
    }
    if (y / 2u < HEIGHT / 2u && x / 2u + 1u < width) {
      output[to + 1u] = max(largest.z, largest.w);
    }
  } else {
    let at = (plane * HEIGHT + y) * WIDTH + x;
    store_row(at, x, upper);
    if (HEIGHT % 2u == 0u || y + 1u < HEIGHT) {
      store_row(at + WIDTH, x, under);
    }
  }
}

fn store_row(at: u32, x: u32, values: vec4f) {
  output[at] = values.x;
  if (WIDTH % 4u == 0u || x + 1u < WIDTH) {
    output[at + 1u] = values.y;
  }
  if (WIDTH % 4u == 0u || x + 2u < WIDTH) {
    output[at + 2u] = values.z;
  }
  if (WIDTH % 4u == 0u || x + 3u < WIDTH) {
    output[at + 3u] = values.w;
  }
}
