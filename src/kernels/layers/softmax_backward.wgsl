// The gradient of one class's softmax probability with respect to the logits.
//
//   result[n, j] = p[n, c] ((j == c ? 1 : 0) - p[n, j])        p = probabilities, c = class_index
//
// Shapes: probabilities and result [rows, CLASSES]. Where p[n, c] is near 1 or near 0 all of it is near 0:
// that is the saturation gradient methods suffer from, and not an error.
// One invocation a value: reads 8 bytes, writes 4, 2 FLOP.

override CLASSES: u32;

struct Params {
  rows: u32,
  class_index: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> probabilities: array<f32>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.rows * CLASSES) {
    return;
  }
  let own = probabilities[i / CLASSES * CLASSES + params.class_index];
  let delta = select(0.0, 1.0, i % CLASSES == params.class_index);
  result[i] = own * (delta - probabilities[i]);
}
