// Back through a product to its first factor.
//
//   result[i] = gradient[i] other[i / share]
//
// Shapes: gradient and result [count], other [count / share]: each of its values was multiplied with `share` of the first
// factor's, one after another: the pixels of a plane, or one.
// One invocation a value: reads 8 bytes, writes 4, one multiplication: bound by memory.

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
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.count) {
    return;
  }
  result[i] = gradient[i] * other[i / params.share];
}
