// Back through a fully connected layer, one row shard of its weights.
//
//   sum = sum of gradient[n, first_output + r] affine[first_output + r].x weights[r, k] over the shard's rows r
//   result[n, k] = sum                   with accumulate: result[n, k] + sum, so that shards add up
//
// Shapes: gradient [batch, OUT_FEATURES] and affine [OUT_FEATURES] pairs (scale, bias) of the whole layer,
// weights [shard_outputs, IN_FEATURES rounded up to 4], result [batch, IN_FEATURES].
// One invocation four inputs of one image: a row is read side by side by neighbours, so every weight is read
// once an image, without a transposed copy. 8 shard_outputs FLOP an invocation; bound by reading weights.

import package::shared::weights::{Four, unpack};

override IN_FEATURES: u32;
override OUT_FEATURES: u32;

struct Params {
  batch: u32,
  first_output: u32,
  shard_outputs: u32,
  accumulate: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<Four>;
@group(0) @binding(3) var<storage, read> affine: array<vec2f>;
@group(0) @binding(4) var<storage, read_write> result: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let pitch = (IN_FEATURES + 3u) / 4u;
  let n = id.y;
  if (id.x >= pitch || n >= params.batch) {
    return;
  }
  var sum = vec4f(0);
  for (var row = 0u; row < params.shard_outputs; row++) {
    let o = params.first_output + row;
    sum += gradient[n * OUT_FEATURES + o] * affine[o].x * unpack(weights[row * pitch + id.x]);
  }
  // Beyond the row's end stands another image.
  for (var j = 0u; j < 4u && 4u * id.x + j < IN_FEATURES; j++) {
    let at = n * IN_FEATURES + 4u * id.x + j;
    result[at] = select(0.0, result[at], params.accumulate != 0u) + sum[j];
  }
}
