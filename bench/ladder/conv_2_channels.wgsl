// The ladder, 3x3 convolution, rung 2: four output channels an invocation. Weights are packed with the
// output channel innermost, so that one vec4 is one read and a pixel, once read, serves four channels.
//
//   sum[n, o, y, x]    = bias[o] + sum_(c, ky, kx) weights[c, ky, kx, o] input[n, c, y + ky - 1, x + kx - 1]
//   output[n, o, y, x] = max(sum, 0) + activation min(sum, 0)
//
// Shapes: as rung 1, but weights [in_channels, 3, 3, stride / 4] vec4f and bias [stride], as packConv makes
// them; stride is out_channels rounded up to 8.
// Cost: 1 pixel and 4 weights for 4 multiply-adds: 5 bytes each.

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
@group(0) @binding(2) var<storage, read> weights: array<vec4f>;
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  let size = params.height * params.width;
  let fours = (params.out_channels + 3u) / 4u;
  if (index >= params.batch * fours * size) {
    return;
  }
  let x = index % params.width;
  let y = index / params.width % params.height;
  let four = index / size % fours;
  let n = index / size / fours;
  let pitch = (params.out_channels + 7u) / 8u * 2u;
  var sum = bias[four];
  for (var c = 0u; c < params.in_channels; c++) {
    for (var ky = 0u; ky < 3u; ky++) {
      for (var kx = 0u; kx < 3u; kx++) {
        let row = y + ky - 1u;
        let column = x + kx - 1u;
        if (row < params.height && column < params.width) {
          let pixel = input[((n * params.in_channels + c) * params.height + row) * params.width + column];
          sum += weights[((c * 3u + ky) * 3u + kx) * pitch + four] * pixel;
        }
      }
    }
  }
  let value = max(sum, vec4f(0)) + params.activation * min(sum, vec4f(0));
  for (var i = 0u; i < 4u && 4u * four + i < params.out_channels; i++) {
    output[(n * params.out_channels + 4u * four + i) * size + y * params.width + x] = value[i];
  }
}
