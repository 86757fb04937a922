// The weighted sum of the activation maps, at their own resolution.
//
//   output[i] = sum of weights[k] maps[k, i] over k
//
// Shapes: maps [count, PIXELS], weights [count], output [PIXELS]. Bilinear upsampling is linear, so
// the sum of the upsampled maps is the upsampled sum: summing first gives the same map up to rounding
// and, from 14 x 14 to 224 x 224, is 256 times cheaper.
// One invocation a pixel, neighbours read neighbouring values. Reads 4 (PIXELS + 1) count bytes
// (0.4 MB for 512 maps of 14 x 14), 2 PIXELS count FLOP.

override PIXELS: u32;

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> maps: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= PIXELS) {
    return;
  }
  var total = 0.0;
  for (var k = 0u; k < params.count; k++) {
    total += weights[k] * maps[k * PIXELS + i];
  }
  output[i] = total;
}
