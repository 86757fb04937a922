// The gradient of a weighted sum of maps with respect to the weights.
//
//   result[k] = sum over i of gradient[i] maps[k, i]
//
// Shapes: gradient [PIXELS], maps [count, PIXELS], result [count]. One invocation a map: reads 8 PIXELS bytes, writes 4,
// 2 PIXELS FLOP.

override PIXELS: u32;

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read> maps: array<f32>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let k = id.x + id.y * groups.x * 64u;
  if (k >= params.count) {
    return;
  }
  var sum = 0.0;
  for (var i = 0u; i < PIXELS; i++) {
    sum += gradient[i] * maps[k * PIXELS + i];
  }
  result[k] = sum;
}
