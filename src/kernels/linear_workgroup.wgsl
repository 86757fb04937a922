// Fully connected layer, one row shard of its weights, tiled in workgroup memory: the version for GPUs.
//
//   y = bias[first_output + o] + sum of input[n, k] weights[o, k] over k
//   output[n, first_output + o] = max(y, 0) + slope min(y, 0)
//
// Shapes: input [batch, IN_FEATURES], weights [shard_outputs, IN_FEATURES] (PyTorch's layout as it is),
// bias [OUT_FEATURES] and output [batch, OUT_FEATURES] of the whole layer.
// GEMM mapping: M = batch, N = outputs, K = IN_FEATURES. A workgroup of 8 x 8 invocations computes a
// tile of 32 images x 32 outputs, each invocation 4 x 4 of it as sums of outer products. K goes in
// steps of 32: 32 neighbouring invocations read 32 neighbouring values of one row, 128 bytes at once,
// whatever the batch. Every weight is read ceil(batch / 32) times, every input
// ceil(shard_outputs / 32) times; a step does 2 * 32^3 FLOP for 8 KiB of global reads.
// Workgroup memory: 2 tiles of 32 x 33 f32 = 8448 bytes. The odd row length puts the 32 values that
// are stored at once, one below the other, into different banks.
// Barriers: one between filling and reading the tiles, one between reading and filling them again;
// the loop runs as often for every invocation, so control flow at the barriers is uniform.

override IN_FEATURES: u32;
override OUT_FEATURES: u32;

const TILE = 32u;
const STRIDE = 33u;
const INVOCATIONS = 64u;

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

// Both transposed, [k][image] and [k][output]: an invocation's 4 values lie side by side.
var<workgroup> input_tile: array<f32, TILE * STRIDE>;
var<workgroup> weight_tile: array<f32, TILE * STRIDE>;

@compute @workgroup_size(8, 8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let first_o = group.x * TILE;
  let first_n = group.y * TILE;
  let tile_k = index % TILE;
  let my_o = local.x * 4u;
  let my_n = local.y * 4u;
  // Column i holds the outputs of image i.
  var totals = mat4x4f();
  for (var first_k = 0u; first_k < IN_FEATURES; first_k += TILE) {
    let k = first_k + tile_k;
    for (var row = index / TILE; row < TILE; row += INVOCATIONS / TILE) {
      let at = tile_k * STRIDE + row;
      let o = first_o + row;
      let n = first_n + row;
      // Zeros past the ends add nothing. A clamped index keeps the load in bounds, select drops it.
      let in_k = min(k, IN_FEATURES - 1u);
      let w = weights[min(o, params.shard_outputs - 1u) * IN_FEATURES + in_k];
      let x = input[min(n, params.batch - 1u) * IN_FEATURES + in_k];
      weight_tile[at] = select(0.0, w, o < params.shard_outputs && k < IN_FEATURES);
      input_tile[at] = select(0.0, x, n < params.batch && k < IN_FEATURES);
    }
    workgroupBarrier();
    for (var k = 0u; k < TILE; k++) {
      let w_at = k * STRIDE + my_o;
      let x_at = k * STRIDE + my_n;
      let w = vec4f(
        weight_tile[w_at],
        weight_tile[w_at + 1u],
        weight_tile[w_at + 2u],
        weight_tile[w_at + 3u],
      );
      totals += mat4x4f(
        w * input_tile[x_at],
        w * input_tile[x_at + 1u],
        w * input_tile[x_at + 2u],
        w * input_tile[x_at + 3u],
      );
    }
    workgroupBarrier();
  }
  for (var i = 0u; i < 4u; i++) {
    for (var j = 0u; j < 4u; j++) {
      let n = first_n + my_n + i;
      let o = first_o + my_o + j;
      if (n < params.batch && o < params.shard_outputs) {
        let y = totals[i][j] + bias[params.first_output + o];
        output[n * OUT_FEATURES + params.first_output + o] = max(y, 0.0) + params.slope * min(y, 0.0);
      }
    }
  }
}
