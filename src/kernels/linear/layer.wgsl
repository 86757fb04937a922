// What the kernels of a fully connected layer have in common: one row shard of its weights.
//
//   y = scale[o] * sum of input[n, k] weights[o - first_output, k] over k + bias[o]
//   output[n, o] = activation(y)      o = first_output .. first_output + shard_outputs - 1
//
// Shapes: input [batch, IN_FEATURES], weights [shard_outputs, IN_FEATURES rounded up to 4] with zeros at
// the end of each row, affine [OUT_FEATURES] pairs (scale, bias) and output [batch, OUT_FEATURES] of the
// whole layer.

import package::shared::activation::activated;
import package::shared::weights::Four;

override IN_FEATURES: u32;
override OUT_FEATURES: u32;

struct Params {
  batch: u32,
  first_output: u32,
  shard_outputs: u32,
  activation: f32,
  // Of linear_workgroup: how much of K a workgroup adds up.
  @if(ends_plain || ends_partial) depth: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<Four>;
@group(0) @binding(3) var<storage, read> affine: array<vec2f>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;

// The starts of 4 consecutive rows of a [count, pitch] matrix; beyond the last row, the last.
fn row_starts(first: u32, count: u32, pitch: u32) -> vec4u {
  return min(first + vec4u(0u, 1u, 2u, 3u), vec4u(count - 1u)) * pitch;
}

// One output of the shard, from its sum.
fn store(n: u32, own: u32, total: f32) {
  let o = params.first_output + own;
  output[n * OUT_FEATURES + o] = activated(affine[o].x * total + affine[o].y, params.activation);
}

// Four outputs of an image, of which the last ones, or the image, may not exist.
fn store4(n: u32, first: u32, totals: vec4f) {
  if (n >= params.batch) {
    return;
  }
  for (var i = 0u; i < 4u && first + i < params.shard_outputs; i++) {
    store(n, first + i, totals[i]);
  }
}
