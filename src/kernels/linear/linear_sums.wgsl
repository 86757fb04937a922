// The outputs of a row shard of a fully connected layer, from the sums over parts of K that linear_workgroup.wgsl gives.
//
//   output[n, first_output + o] = activation(scale[o] * sum of partial[z, n, o] over z + bias[o])
//
// Shapes: partial [parts, batch, shard_outputs]; affine and output as in layer.wgsl. An invocation has one output; parts
// are added in their order, so that the same input gives the same bits.

import package::shared::activation::activated;

override OUT_FEATURES: u32;

struct Params {
  batch: u32,
  first_output: u32,
  shard_outputs: u32,
  parts: u32,
  activation: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> partial_sums: array<f32>;
@group(0) @binding(2) var<storage, read> affine: array<vec2f>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = id.x + id.y * groups.x * 64u;
  let count = params.batch * params.shard_outputs;
  if (at >= count) {
    return;
  }
  var total = 0.0;
  for (var part = 0u; part < params.parts; part++) {
    total += partial_sums[part * count + at];
  }
  let n = at / params.shard_outputs;
  let o = params.first_output + at - n * params.shard_outputs;
  output[n * OUT_FEATURES + o] = activated(affine[o].x * total + affine[o].y, params.activation);
}
