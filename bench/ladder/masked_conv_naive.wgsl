// Convolution of image * mask for a batch of masks: the plainest version, kept for ever as a second
// oracle and as the baseline of the benchmarks.
//
//   up_m[y, x]         = map channels[first_mask + m], bilinearly upsampled to HEIGHT x WIDTH
//   mask_m[y, x]       = (up_m[y, x] - min) / (max - min), min and max from ranges
//   sum[m, o, y, x]    = bias[o] + sum_(c, ky, kx) weights[c, ky, kx, o]
//                                  image[c, y + ky - p, x + kx - p] mask_m[y + ky - p, x + kx - p]
//   output[m, o, y, x] = max(sum, 0) + ACTIVATION min(sum, 0)      p = (KERNEL - 1) / 2
//   with POOL: output[m, o, y, x] = the largest of the four at (2 y, 2 x) .. (2 y + 1, 2 x + 1)
//
// Shapes: image [IN_CHANNELS, HEIGHT, WIDTH], maps [K, MAP_HEIGHT, MAP_WIDTH], ranges [K] (min, max),
// output [batch, OUT_CHANNELS, HEIGHT, WIDTH] or, pooled, [batch, OUT_CHANNELS, floor(HEIGHT / 2),
// floor(WIDTH / 2)]; stride 1; outside the image is zero. Weights [IN_CHANNELS KERNEL KERNEL, stride],
// four at a time, see packConv: the stride is OUT_CHANNELS rounded up to 8.
// One invocation an output element, which evaluates the mask for every tap: KERNEL^2 times 4 map
// samples, then 2 IN_CHANNELS KERNEL^2 FLOPs and as many reads.
// GEMM: M = OUT_CHANNELS, N = batch HEIGHT WIDTH, K = IN_CHANNELS KERNEL^2.
// Preconditions: KERNEL odd; fewer than 2^31 elements a tensor. A constant map (max = min) gives a mask
// of zero.

import package::shared::activation::activated;
import package::shared::size::{HEIGHT, WIDTH};
import package::shared::upsampled_map::{column_taps, row_taps, upsampled};
import package::shared::weights::{Four, unpack};

override IN_CHANNELS: u32;
override OUT_CHANNELS: u32;
override KERNEL: u32;
override ACTIVATION: f32;
override POOL: bool;

struct Params {
  first_mask: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> image: array<f32>;
@group(0) @binding(3) var<storage, read> ranges: array<vec2f>;
@group(0) @binding(4) var<storage, read> channels: array<u32>;
@group(0) @binding(5) var<storage, read> weights: array<Four>;
@group(0) @binding(6) var<storage, read> bias: array<f32>;
@group(0) @binding(7) var<storage, read_write> output: array<f32>;

fn mask_at(map: u32, y: u32, x: u32) -> f32 {
  let value = upsampled(map, row_taps(y), column_taps(x));
  let range = ranges[map];
  return select(0.0, (value - range.x) / (range.y - range.x), range.y > range.x);
}

fn weight_at(k: u32, o: u32) -> f32 {
  let stride = (OUT_CHANNELS + 7u) / 8u * 2u;
  return unpack(weights[k * stride + o / 4u])[o % 4u];
}

fn convolve(m: u32, o: u32, y: u32, x: u32) -> f32 {
  let padding = (KERNEL - 1u) / 2u;
  let map = channels[params.first_mask + m];
  var sum = bias[o];
  for (var ky = 0u; ky < KERNEL; ky++) {
    for (var kx = 0u; kx < KERNEL; kx++) {
      // Unsigned: a position left of or above the image wraps to a huge one, so one test is enough.
      let row = y + ky - padding;
      let column = x + kx - padding;
      if (row < HEIGHT && column < WIDTH) {
        let mask = mask_at(map, row, column);
        for (var c = 0u; c < IN_CHANNELS; c++) {
          let k = (c * KERNEL + ky) * KERNEL + kx;
          sum += weight_at(k, o) * image[(c * HEIGHT + row) * WIDTH + column] * mask;
        }
      }
    }
  }
  return activated(sum, ACTIVATION);
}

// x: pixels of one output plane, y: output channels, z: masks
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let scale = select(1u, 2u, POOL);
  let height = HEIGHT / scale;
  let width = WIDTH / scale;
  if (id.x >= height * width) {
    return;
  }
  let y = id.x / width * scale;
  let x = id.x % width * scale;
  var value = convolve(id.z, id.y, y, x);
  if (POOL) {
    value = max(value, convolve(id.z, id.y, y, x + 1u));
    value = max(value, convolve(id.z, id.y, y + 1u, x));
    value = max(value, convolve(id.z, id.y, y + 1u, x + 1u));
  }
  output[(id.z * OUT_CHANNELS + id.y) * height * width + id.x] = value;
}
