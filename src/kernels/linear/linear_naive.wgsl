// Fully connected layer, one row shard of its weights, the straightforward way.
// What it computes, and the shapes: layer.wgsl.
// One invocation an output value: 2 IN_FEATURES FLOP and as many loads. Every weight is read `batch`
// times and every input shard_outputs times. What the others are validated and measured by.

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
