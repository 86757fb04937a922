// Back through a product to its second factor, of which each value was multiplied with `share` of the first one's.
//
//   result[j] = sum of gradient[j share + k] other[j share + k] over k
//
// Shapes: gradient and other [count share], result [count]; a share is the pixels of a plane, or one.
// One invocation a value of the result: a network's gates are some hundred, of planes of some hundred pixels.
// Reads 8 share bytes and writes 4, 2 share FLOP a value.

struct Params {
  count: u32,
  share: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> other: array<f32>;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let j = id.x + id.y * groups.x * 64u;
  if (j >= params.count) {
    return;
  }
  var total = 0.0;
  for (var i = j * params.share; i < (j + 1u) * params.share; i++) {
    total += gradient[i] * other[i];
  }
  result[j] = total;
}
