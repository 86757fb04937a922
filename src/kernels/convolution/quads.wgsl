// What the convolutions in workgroup memory have in common, plain and masked: weights by rows of the matrix of patches,
// and quads of 2x2 outputs, so that pooling needs no neighbour.
//
// Shapes: output [batch, OUT_CHANNELS, HEIGHT, WIDTH] or, with POOL, [batch, OUT_CHANNELS, floor(HEIGHT / 2),
// floor(WIDTH / 2)], or the channels from OUT_FIRST on of [batch, OUT_OF, ...]. Weights [IN_CHANNELS KERNEL KERNEL, stride] Four, see packConv: 4 stride is OUT_CHANNELS rounded
// up to 8.

import package::shared::activation::activated4;
import package::shared::output_fours::{POOL, output};
import package::shared::size::{HEIGHT, WIDTH};
import package::shared::weights::Four;

override IN_CHANNELS: u32;
override OUT_CHANNELS: u32;
override OUT_FIRST: u32;
override OUT_OF: u32;
override KERNEL: u32;
override ACTIVATION: f32;

@group(0) @binding(2) var<storage, read> weights: array<Four>;
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;

// Four weights of row k, as they are in memory: to look at what was loaded, were it to un-pack it, is to wait for it before the
// product that the load is to be hidden by. Beyond the last row, that one again, of pixels that are zero.
fn weight_at(k: u32, column: u32, stride: u32) -> Four {
  return weights[min(k, IN_CHANNELS * KERNEL * KERNEL - 1u) * stride + column];
}

// The quad of output channel o of the n-th image whose first pixel is (y, x); some of it may not exist.
fn store_quad(sum: vec4f, n: u32, o: u32, y: u32, x: u32) {
  if (o >= OUT_CHANNELS) {
    return;
  }
  let value = activated4(sum, ACTIVATION);
  let plane = n * OUT_OF + OUT_FIRST + o;
  if (POOL) {
    let height = HEIGHT / 2u;
    let width = WIDTH / 2u;
    if (y / 2u < height && x / 2u < width) {
      let largest = max(max(value.x, value.y), max(value.z, value.w));
      output[(plane * height + y / 2u) * width + x / 2u] = largest;
    }
    return;
  }
  let at = (plane * HEIGHT + y) * WIDTH + x;
  if (y < HEIGHT && x < WIDTH) {
    output[at] = value.x;
  }
  if (y < HEIGHT && x + 1u < WIDTH) {
    output[at + 1u] = value.y;
  }
  if (y + 1u < HEIGHT && x < WIDTH) {
    output[at + WIDTH] = value.z;
  }
  if (y + 1u < HEIGHT && x + 1u < WIDTH) {
    output[at + WIDTH + 1u] = value.w;
  }
}
