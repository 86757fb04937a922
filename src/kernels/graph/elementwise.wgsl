// Sum or product of two tensors, or one tensor, and an activation.
//
//   output[n, c, i] = activation(a[n, c, i] + b[n, c, i])      JOIN 1
//                   = activation(a[n, c, i] b[n, c, i])        JOIN 2
//                   = activation(a[n, c, i])                   JOIN 0; whatever is bound as b
//
// Shapes: a [batch, a_of, plane], channels from a_first on, and so b and output. With b_plane 1 b is [batch, b_of, 1], one
// number for each channel.
// One invocation four values of a plane: reads 16 to 32 bytes, writes 16: bound by memory.

import package::shared::activation::activated4;

override JOIN: u32;

struct Params {
  batch: u32,
  channels: u32,
  plane: u32,
  a_first: u32,
  a_of: u32,
  b_first: u32,
  b_of: u32,
  b_plane: u32,
  out_first: u32,
  out_of: u32,
  activation: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let fours = (params.plane + 3u) / 4u;
  let job = id.x + id.y * groups.x * 64u;
  let image = job / fours;
  if (image >= params.batch * params.channels) {
    return;
  }
  let channel = image % params.channels;
  let n = image / params.channels;
  // The last four may be fewer: the last value stands for what is not there.
  let i = min(job % fours * 4u + vec4u(0, 1, 2, 3), vec4u(params.plane - 1u));
  let from_a = (n * params.a_of + params.a_first + channel) * params.plane + i;
  var value = vec4f(a[from_a.x], a[from_a.y], a[from_a.z], a[from_a.w]);
  if (JOIN > 0u) {
    let from_b = (n * params.b_of + params.b_first + channel) * params.b_plane + min(i, vec4u(params.b_plane - 1u));
    let other = vec4f(b[from_b.x], b[from_b.y], b[from_b.z], b[from_b.w]);
    value = select(value * other, value + other, JOIN == 1u);
  }
  let result = activated4(value, params.activation);
  let at = (n * params.out_of + params.out_first + channel) * params.plane + i;
  output[at.x] = result.x;
  output[at.y] = result.y;
  output[at.z] = result.z;
  output[at.w] = result.w;
}
