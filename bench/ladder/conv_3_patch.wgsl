// The ladder, 3x3 convolution, rung 3: a patch of four neighbouring pixels times four output channels an
// invocation, in registers. The three weights of a row of the window serve four pixels, and the six pixels
// of a row serve three weights.
//
//   sum[n, o, y, x]    = bias[o] + sum_(c, ky, kx) weights[c, ky, kx, o] input[n, c, y + ky - 1, x + kx - 1]
//   output[n, o, y, x] = max(sum, 0) + activation min(sum, 0)
//
// Shapes: as rung 2.
// Cost: 6 pixels and 12 weights for 48 multiply-adds: 1.5 bytes each.

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

fn pixel(plane: u32, row: u32, column: u32) -> f32 {
  if (row >= params.height || column >= params.width) {
    return 0.0;
  }
  return input[(plane * params.height + row) * params.width + column];
}

fn store(sum: vec4f, n: u32, four: u32, y: u32, x: u32) {
  if (x >= params.width) {
    return;
  }
  let value = max(sum, vec4f(0)) + params.activation * min(sum, vec4f(0));
  let size = params.height * params.width;
  for (var i = 0u; i < 4u && 4u * four + i < params.out_channels; i++) {
    output[(n * params.out_channels + 4u * four + i) * size + y * params.width + x] = value[i];
  }
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  let across = (params.width + 3u) / 4u;
  let fours = (params.out_channels + 3u) / 4u;
  if (index >= params.batch * fours * params.height * across) {
    return;
  }
  let x = index % across * 4u;
  let y = index / across % params.height;
  let four = index / across / params.height % fours;
  let n = index / across / params.height / fours;
  let pitch = (params.out_channels + 7u) / 8u * 2u;
  var s0 = bias[four];
  var s1 = s0;
  var s2 = s0;
  var s3 = s0;
  var k = four;
  for (var c = 0u; c < params.in_channels; c++) {
    let plane = n * params.in_channels + c;
    for (var ky = 0u; ky < 3u; ky++) {
      let row = y + ky - 1u;
      let p0 = pixel(plane, row, x - 1u);
      let p1 = pixel(plane, row, x);
      let p2 = pixel(plane, row, x + 1u);
      let p3 = pixel(plane, row, x + 2u);
      let p4 = pixel(plane, row, x + 3u);
      let p5 = pixel(plane, row, x + 4u);
      let w0 = weights[k];
      let w1 = weights[k + pitch];
      let w2 = weights[k + 2u * pitch];
      s0 += w0 * p0 + w1 * p1 + w2 * p2;
      s1 += w0 * p1 + w1 * p2 + w2 * p3;
      s2 += w0 * p2 + w1 * p3 + w2 * p4;
      s3 += w0 * p3 + w1 * p4 + w2 * p5;
      k += 3u * pitch;
    }
  }
  store(s0, n, four, y, x);
  store(s1, n, four, y, x + 1u);
  store(s2, n, four, y, x + 2u);
  store(s3, n, four, y, x + 3u);
}
