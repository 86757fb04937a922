// Fully connected layer, one row shard of its weights, tiled in workgroup memory: the version for GPUs.
// What it computes, and the shapes: layer.wgsl.
// GEMM mapping: M = batch, N = outputs, K = IN_FEATURES. A workgroup of 8 x 8 invocations computes a
// tile of 32 images x 32 outputs, each invocation 4 x 4 of it as sums of outer products. K goes in
// steps of 32: 32 neighbouring invocations read 32 neighbouring inputs of one row, 128 bytes at once, and
// 8 neighbouring ones 32 neighbouring weights (128 bytes of f32, 64 of f16, 32 of int8), which they
// un-pack on the way into workgroup memory. Every weight is read ceil(batch / 32) times, every input
// ceil(shard_outputs / 32) times; a step does 2 * 32^3 FLOP for up to 8 KiB of global reads.
// Workgroup memory: 2 tiles of 32 x 33 f32 = 8448 bytes. The odd row length puts the 32 values that
// are stored at once, inputs one below the other or every fourth weight of four rows, into different
// banks.
// Barriers: one between filling and reading the tiles, one between reading and filling them again;
// the loop runs as often for every invocation, so control flow at the barriers is uniform.

import package::linear::layer::{IN_FEATURES, input, params, store, weights};
import package::shared::weights::unpack;

const TILE = 32u;
const STRIDE = 33u;
const INVOCATIONS = 64u;
const FOURS = TILE / 4u;

// Both transposed, [k][image] and [k][output]: an invocation's 4 values lie side by side.
var<workgroup> input_tile: array<f32, TILE * STRIDE>;
var<workgroup> weight_tile: array<f32, TILE * STRIDE>;

@compute @workgroup_size(8, 8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let pitch = (IN_FEATURES + 3u) / 4u;
  let first_o = group.x * TILE;
  let first_n = group.y * TILE;
  let tile_k = index % TILE;
  let tile_four = index % FOURS;
  let my_o = local.x * 4u;
  let my_n = local.y * 4u;
  // Column i holds the outputs of image i.
  var totals = mat4x4f();
  for (var first_k = 0u; first_k < IN_FEATURES; first_k += TILE) {
    // Zeros past the ends add nothing. A clamped index keeps the load in bounds, select drops it.
    let four = first_k / 4u + tile_four;
    for (var row = index / FOURS; row < TILE; row += INVOCATIONS / FOURS) {
      let o = first_o + row;
      let packed = weights[min(o, params.shard_outputs - 1u) * pitch + min(four, pitch - 1u)];
      let w = select(vec4f(0), unpack(packed), o < params.shard_outputs && four < pitch);
      let at = 4u * tile_four * STRIDE + row;
      weight_tile[at] = w.x;
      weight_tile[at + STRIDE] = w.y;
      weight_tile[at + 2u * STRIDE] = w.z;
      weight_tile[at + 3u * STRIDE] = w.w;
    }
    let k = first_k + tile_k;
    for (var row = index / TILE; row < TILE; row += INVOCATIONS / TILE) {
      let n = first_n + row;
      let x = input[min(n, params.batch - 1u) * IN_FEATURES + min(k, IN_FEATURES - 1u)];
      input_tile[tile_k * STRIDE + row] = select(0.0, x, n < params.batch && k < IN_FEATURES);
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
        store(n, o, totals[i][j]);
      }
    }
  }
}
