// Fully connected layer, one row shard of its weights, the straightforward way.
//
//   y = scale[o] * sum of input[n, k] weights[o - first_output, k] over k + bias[o]
//   output[n, o] = max(y, 0) + slope min(y, 0)          o = first_output .. first_output + shard_outputs - 1
//
// Shapes: input [batch, IN_FEATURES], weights [shard_outputs, IN_FEATURES rounded up to 4] with zeros at
// the end of each row, affine [OUT_FEATURES] pairs (scale, bias) and output [batch, OUT_FEATURES] of the
// whole layer.
// One invocation an output value: 2 IN_FEATURES FLOP and as many loads. Every weight is read `batch`
// times and every input shard_outputs times. Kept as second oracle and as baseline.

import package::linear::layer::{IN_FEATURES, input, params, store, weights};
import package::shared::weights::unpack;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let n = id.y;
  if (id.x >= params.shard_outputs || n >= params.batch) {
    return;
  }
  let row = id.x * ((IN_FEATURES + 3u) / 4u);
  let start = n * IN_FEATURES;
  var total = 0.0;
  for (var four = 0u; four < IN_FEATURES / 4u; four++) {
    let at = start + 4u * four;
    let x = vec4f(input[at], input[at + 1u], input[at + 2u], input[at + 3u]);
    total += dot(x, unpack(weights[row + four]));
  }
  // One by one, because beyond the row's end stands another image.
  for (var k = IN_FEATURES / 4u * 4u; k < IN_FEATURES; k++) {
    total += input[start + k] * unpack(weights[row + k / 4u])[k % 4u];
  }
  store(n, id.x, total);
}
