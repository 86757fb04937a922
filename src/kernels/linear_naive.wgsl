// Fully connected layer, one row shard of its weights, the straightforward way.
//
//   y = bias[first_output + o] + sum of input[n, k] weights[o, k] over k
//   output[n, first_output + o] = max(y, 0) + slope min(y, 0)
//
// Shapes: input [batch, IN_FEATURES], weights [shard_outputs, IN_FEATURES] (PyTorch's layout as it is),
// bias [OUT_FEATURES] and output [batch, OUT_FEATURES] of the whole layer.
// One invocation an output value: 2 IN_FEATURES FLOP and as many loads. Every weight is read `batch`
// times and every input shard_outputs times. Kept as second oracle and as baseline.

override IN_FEATURES: u32;
override OUT_FEATURES: u32;

struct Params {
  batch: u32,
  first_output: u32,
  shard_outputs: u32,
  slope: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let o = id.x;
  let n = id.y;
  if (o >= params.shard_outputs || n >= params.batch) {
    return;
  }
  var total = 0.0;
  for (var k = 0u; k < IN_FEATURES; k++) {
    total += input[n * IN_FEATURES + k] * weights[o * IN_FEATURES + k];
  }
  let y = total + bias[params.first_output + o];
  output[n * OUT_FEATURES + params.first_output + o] = max(y, 0.0) + params.slope * min(y, 0.0);
}
