// Convolution, bias, activation and optional 2x2 max pooling: the plainest version, by which others are validated, in
// tests and where they run (runtime/validation.ts), and measured.
//
//   sum[n, o, y, x]    = bias[o] + sum_(c, ky, kx) weights[c, ky, kx, o] input[n, c, y + ky - p, x + kx - p]
//   output[n, o, y, x] = max(sum, 0) + ACTIVATION min(sum, 0)
//   with POOL: output[n, o, y, x] = the largest of the four at (2 y, 2 x) .. (2 y + 1, 2 x + 1)
//
// Shapes: input [batch, IN_CHANNELS, HEIGHT, WIDTH], output [batch, OUT_CHANNELS, HEIGHT, WIDTH] or,
// pooled, [batch, OUT_CHANNELS, floor(HEIGHT / 2), floor(WIDTH / 2)]; stride 1; outside the image is
// zero, p = (KERNEL - 1) / 2. Weights [IN_CHANNELS KERNEL KERNEL, stride], four at a
// time, see packConv: the stride is OUT_CHANNELS rounded up to 8.
// One invocation an output element. GEMM: M = OUT_CHANNELS, N = batch HEIGHT WIDTH,
// K = IN_CHANNELS KERNEL^2; 2 M N K FLOPs; nothing is reused: 8 bytes read per multiply-add.
// Preconditions: KERNEL odd; fewer than 2^31 elements a tensor.

import package::shared::activation::activated;
import package::shared::weights::{Four, unpack};

override IN_CHANNELS: u32;
override OUT_CHANNELS: u32;
override HEIGHT: u32;
override WIDTH: u32;
override KERNEL: u32;
override ACTIVATION: f32;
override POOL: bool;

@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read> weights: array<Four>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

fn weight_at(k: u32, o: u32) -> f32 {
  let stride = (OUT_CHANNELS + 7u) / 8u * 2u;
  return unpack(weights[k * stride + o / 4u])[o % 4u];
}

fn convolve(n: u32, o: u32, y: u32, x: u32) -> f32 {
  let padding = (KERNEL - 1u) / 2u;
  var sum = bias[o];
  var k = 0u;
  for (var c = 0u; c < IN_CHANNELS; c++) {
    for (var ky = 0u; ky < KERNEL; ky++) {
      for (var kx = 0u; kx < KERNEL; kx++) {
        // Unsigned: a position left of or above the image wraps to a huge one, so one test is enough.
        let row = y + ky - padding;
        let column = x + kx - padding;
        if (row < HEIGHT && column < WIDTH) {
          let at = ((n * IN_CHANNELS + c) * HEIGHT + row) * WIDTH + column;
          sum += weight_at(k, o) * input[at];
        }
        k++;
      }
    }
  }
  return activated(sum, ACTIVATION);
}

// x: pixels of one output plane, y: output channels, z: images
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
