// Copies of one tensor, one behind the other: what the active tiles of a batch are then written over.
//
//   output[m, i] = tensor[i]
//
// Shapes: tensor [size], output [batch, size].
// One invocation four neighbouring values of one copy, the copies in workgroup z: 16 bytes read, 16 written.
// Preconditions: fewer than 2^31 elements.

struct Params {
  size: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> tensor: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let first = (id.x + id.y * groups.x * 64u) * 4u;
  let start = id.z * params.size;
  for (var i = first; i < min(first + 4u, params.size); i++) {
    output[start + i] = tensor[i];
  }
}
