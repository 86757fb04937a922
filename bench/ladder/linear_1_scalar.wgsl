// The ladder, fully connected layer, rung 1: the definition. One invocation an output value, one number at
// a time.
//
//   sum[n, o]    = bias[o] + sum_k weights[o, k] input[n, k]
//   output[n, o] = max(sum, 0) + activation min(sum, 0)
//
// Shapes: input [batch, in_features], weights [out_features, in_features] (PyTorch's layout), output
// [batch, out_features].
// Cost: 8 bytes read for a multiply-add, and neighbouring invocations read addresses a whole row apart.

struct Params {
  batch: u32,
  in_features: u32,
  out_features: u32,
  activation: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  if (index >= params.batch * params.out_features) {
    return;
  }
  let o = index % params.out_features;
  let n = index / params.out_features;
  var sum = bias[o];
  for (var k = 0u; k < params.in_features; k++) {
    sum += weights[o * params.in_features + k] * input[n * params.in_features + k];
  }
  output[index] = max(sum, 0.0) + params.activation * min(sum, 0.0);
}
