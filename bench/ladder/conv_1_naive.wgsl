// The ladder, 3x3 convolution, rung 1: the definition. One invocation an output element.
//
//   sum[n, o, y, x]    = bias[o] + sum_(c, ky, kx) weights[o, c, ky, kx] input[n, c, y + ky - 1, x + kx - 1]
//   output[n, o, y, x] = max(sum, 0) + activation min(sum, 0)
//
// Shapes: input [batch, in_channels, height, width], weights [out_channels, in_channels, 3, 3] as PyTorch
// keeps them (OIHW), output [batch, out_channels, height, width]; outside the image is zero.
// Cost: a multiply-add reads one pixel and one weight, 8 bytes; nothing is reused but by the caches.

struct Params {
  batch: u32,
  in_channels: u32,
  out_channels: u32,
  height: u32,
  width: u32,
  activation: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  let size = params.height * params.width;
  if (index >= params.batch * params.out_channels * size) {
    return;
  }
  let x = index % params.width;
  let y = index / params.width % params.height;
  let o = index / size % params.out_channels;
  let n = index / size / params.out_channels;
  var sum = bias[o];
  for (var c = 0u; c < params.in_channels; c++) {
    for (var ky = 0u; ky < 3u; ky++) {
      for (var kx = 0u; kx < 3u; kx++) {
        // Unsigned: a position left of or above the image wraps to a huge one, so one test is enough.
        let row = y + ky - 1u;
        let column = x + kx - 1u;
        if (row < params.height && column < params.width) {
          let pixel = input[((n * params.in_channels + c) * params.height + row) * params.width + column];
          sum += weights[((o * params.in_channels + c) * 3u + ky) * 3u + kx] * pixel;
        }
      }
    }
  }
  output[index] = max(sum, 0.0) + params.activation * min(sum, 0.0);
}
