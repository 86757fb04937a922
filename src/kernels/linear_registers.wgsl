// Fully connected layer, one row shard of its weights, in registers only: the version for software
// adapters, where a barrier costs more than the memory traffic it saves.
//
//   y = bias[first_output + o] + sum of input[n, k] weights[o, k] over k
//   output[n, first_output + o] = max(y, 0) + slope min(y, 0)
//
// Shapes: input [batch, IN_FEATURES], weights [shard_outputs, IN_FEATURES] (PyTorch's layout as it is),
// bias [OUT_FEATURES] and output [batch, OUT_FEATURES] of the whole layer.
// GEMM mapping: M = batch, N = outputs, K = IN_FEATURES. One invocation computes 4 outputs of ROWS
// images as sums of outer products: per k it loads 4 weights and ROWS inputs for 4 ROWS
// multiply-adds. Every weight is read ceil(batch / ROWS) times, every input ceil(shard_outputs / 4)
// times. Outputs and images past the end repeat the last one, so the loop has no branch; they are not
// stored. ROWS is 1, 4 or 8: the branches on it are gone once the pipeline is compiled.
// Tried on SwiftShader and not kept: 4 steps of k at once as products of 4 x 4 blocks (no faster),
// and lanes over k with one barrier at the end (2 to 4 times slower at batch 1).

override IN_FEATURES: u32;
override OUT_FEATURES: u32;
override ROWS: u32;

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

// Where 4 consecutive rows of a [count, IN_FEATURES] matrix begin.
fn row_starts(first: u32, count: u32) -> vec4u {
  return min(first + vec4u(0u, 1u, 2u, 3u), vec4u(count - 1u)) * IN_FEATURES;
}

fn four_inputs(at: vec4u) -> vec4f {
  return vec4f(input[at.x], input[at.y], input[at.z], input[at.w]);
}

// Column i holds the outputs of image i.
fn outer(w: vec4f, x: vec4f) -> mat4x4f {
  return mat4x4f(w * x.x, w * x.y, w * x.z, w * x.w);
}

fn store(n: u32, first: u32, totals: vec4f) {
  if (n >= params.batch) {
    return;
  }
  for (var i = 0u; i < 4u && first + i < params.shard_outputs; i++) {
    let o = params.first_output + first + i;
    let y = totals[i] + bias[o];
    output[n * OUT_FEATURES + o] = max(y, 0.0) + params.slope * min(y, 0.0);
  }
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let first = id.x * 4u;
  let n = id.y * ROWS;
  if (first >= params.shard_outputs || n >= params.batch) {
    return;
  }
  let weight_rows = row_starts(first, params.shard_outputs);
  let input_rows = row_starts(n, params.batch);
  let more_input_rows = row_starts(n + 4u, params.batch);
  var totals = mat4x4f();
  var more_totals = mat4x4f();
  for (var k = 0u; k < IN_FEATURES; k++) {
    let at = weight_rows + k;
    let w = vec4f(weights[at.x], weights[at.y], weights[at.z], weights[at.w]);
    if (ROWS == 1u) {
      totals[0] += w * input[input_rows.x + k];
    } else {
      totals += outer(w, four_inputs(input_rows + k));
    }
    if (ROWS > 4u) {
      more_totals += outer(w, four_inputs(more_input_rows + k));
    }
  }
  for (var i = 0u; i < min(ROWS, 4u); i++) {
    store(n + i, first, totals[i]);
  }
  if (ROWS > 4u) {
    for (var i = 0u; i < 4u; i++) {
      store(n + 4u + i, first, more_totals[i]);
    }
  }
}
