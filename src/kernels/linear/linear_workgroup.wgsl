// Fully connected layer, one row shard of its weights, as a matrix product in tiles of workgroup memory: the version for
// GPUs. What it computes, and the shapes: layer.wgsl.
//
// GEMM: M = batch, N = outputs, K = IN_FEATURES; 2 M N K FLOPs. A workgroup of ROWS x COLS invocations computes 8 ROWS images
// x 8 COLS outputs, 8 of K at a time; an invocation has 8 x 8 of them, every ROWS-th image and every COLS-th output, so
// that neighbours read neighbouring vec4f of workgroup memory. Weights are un-packed on the way into workgroup memory; each
// is read ceil(batch / (8 ROWS)) times.
//
// Both matrices have K innermost, and so have they here, other than in product_tile.wgsl: four of K are a vec4f in memory and
// in workgroup memory, and nothing is turned. For four of K an invocation reads 8 vec4f of weights and, one after the other,
// 8 of images, for 256 multiply-adds: a byte each, as with K outermost.
// While a tile is multiplied the next one is loaded, and behind the product it is written into the other of two buffers:
// from one round to the next nothing is carried but the sums, and there is one barrier for 8 of K.
//
// Few outputs are few workgroups: workgroup z adds up its own `depth` of K, and linear_sums.wgsl the workgroups' sums.
//   partial   output[z, n, o - first_output] = sum of input[n, k] weights[o - first_output, k] over z's k
// Bank conflicts: neighbours write the two fours of 8 of K, half a buffer apart, to the same banks, twice to four times in 512
// multiply-adds; none in reading.
// Registers: 64 sums, 36 operands, 8 to 16 values that are on their way.
// Workgroup memory: 16 KiB at 16 x 16, half of it for each matrix; 8 KiB at 8 x 8.
// The barrier stands in a loop whose bounds are uniforms, and no invocation leaves early.
// Preconditions: ROWS and COLS 8 or 16; depth a multiple of 8; fewer than 2^31 elements a tensor.

import package::linear::layer::{IN_FEATURES, input, output, params, store, weights};
import package::shared::weights::{Four, unpack};
import package::shared::rounds::MOST_ROUNDS;
import constants::{COLS, ROWS};

// Images [two buffers][two fours of 8 of K][8 ROWS], and behind them outputs likewise.
var<workgroup> tile: array<vec4f, 32 * (ROWS + COLS)>;
const OUTPUTS = 32u * ROWS;

// A row each image: of its first four outputs, and of the others.
alias Sums = array<mat2x4f, 8>;

// Whether K is a multiple of 8: what an invocation brings then always exists.
fn is_whole() -> bool {
  return IN_FEATURES % 8u == 0u;
}

// Four numbers of an image, `behind` k; or with is_whole, `behind` is in `start`. Weights beyond the last are zero, so that an
// image's numbers there may be any: the last, again.
fn image_at(start: u32, k: u32, behind: u32) -> vec4f {
  if (is_whole()) {
    let at = start + k;
    return vec4f(input[at], input[at + 1u], input[at + 2u], input[at + 3u]);
  }
  let at = start + min(k + behind + vec4u(0, 1, 2, 3), vec4u(IN_FEATURES - 1u));
  return vec4f(input[at.x], input[at.y], input[at.z], input[at.w]);
}

// Four weights of an output likewise, as they are in memory: to look at what was loaded is to wait for it.
fn weights_at(start: u32, k: u32, behind: u32) -> Four {
  if (is_whole()) {
    return weights[start + k / 4u];
  }
  if (k + behind < IN_FEATURES) {
    return weights[start + (k + behind) / 4u];
  }
  return Four();
}

// Adds the products of four of K, which are outermost in what is turned.
fn plus(sums: mat2x4f, image: vec4f, left: mat4x4f, right: mat4x4f) -> mat2x4f {
  var total = sums;
  total[0] += image.x * left[0];
  total[1] += image.x * right[0];
  total[0] += image.y * left[1];
  total[1] += image.y * right[1];
  total[0] += image.z * left[2];
  total[1] += image.z * right[2];
  total[0] += image.w * left[3];
  total[1] += image.w * right[3];
  return total;
}

// Of four outputs: K outermost.
fn turned(a: vec4f, b: vec4f, c: vec4f, d: vec4f) -> mat4x4f {
  return transpose(mat4x4f(a, b, c, d));
}

@if(ends_partial)
fn store_partial(part: u32, n: u32, o: u32, total: f32) {
  output[(part * params.batch + n) * params.shard_outputs + o] = total;
}

// Every COLS-th output of an image.
fn store_row(part: u32, n: u32, first: u32, totals: mat2x4f) {
  if (n >= params.batch) {
    return;
  }
  for (var i = 0u; i < 8u; i++) {
    let o = first + i * COLS;
    if (o < params.shard_outputs) {
      let total = totals[i / 4u][i % 4u];
      @if(ends_plain) store(n, o, total);
      @if(ends_partial) store_partial(part, n, o, total);
    }
  }
}

@compute @workgroup_size(COLS, ROWS)
fn main(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_index) local: u32) {
  let first_n = wg.y * 8u * ROWS;
  let first_o = wg.x * 8u * COLS;
  let first_k = wg.z * params.depth;
  let last_k = min(first_k + params.depth, IN_FEATURES);
  let pitch = (IN_FEATURES + 3u) / 4u;

  // What this invocation brings: four of K of an image and of an output, and of a second one where invocations are fewer.
  // Those beyond the last are the last, and not stored.
  let four = local % 2u;
  let own = local / 2u;
  const MORE = ROWS * COLS / 2u;
  let behind = 4u * four;
  let ahead = select(0u, behind, is_whole());
  let image = min(first_n + own, params.batch - 1u) * IN_FEATURES + ahead;
  let image2 = min(first_n + own + MORE, params.batch - 1u) * IN_FEATURES + ahead;
  let row = min(first_o + own, params.shard_outputs - 1u) * pitch + ahead / 4u;
  let row2 = min(first_o + own + MORE, params.shard_outputs - 1u) * pitch + ahead / 4u;
  let image_place = four * (8u * ROWS) + own;
  let row_place = OUTPUTS + four * (8u * COLS) + own;

  // Which it computes: each 32 stand 4 x 8.
  let lane = local % 32u;
  let warp = local / 32u;
  let first_row = lane / 8u + 4u * (warp / (COLS / 8u));
  let first_column = lane % 8u + 8u * (warp % (COLS / 8u));

  // The first tile; then one is multiplied in each round, and the next loaded. The last round loads its own again, for nobody.
  tile[image_place] = image_at(image, first_k, behind);
  tile[row_place] = unpack(weights_at(row, first_k, behind));
  if (COLS < 16u) {
    tile[image_place + MORE] = image_at(image2, first_k, behind);
  }
  if (ROWS < 16u) {
    tile[row_place + MORE] = unpack(weights_at(row2, first_k, behind));
  }
  var sums: Sums;
  let rounds = (last_k - first_k + 7u) / 8u;
  let last = rounds - 1u;
  for (var round = 0u; round < MOST_ROUNDS; round++) {
    if (round >= rounds) {
      break;
    }
    workgroupBarrier();
    let side = round % 2u;
    let other = 1u - side;
    let tile_row = side * (16u * ROWS) + first_row;
    let tile_column = OUTPUTS + side * (16u * COLS) + first_column;
    let next_k = first_k + 8u * min(round + 1u, last);
    let loaded_image = image_at(image, next_k, behind);
    var loaded_image2 = vec4f();
    if (COLS < 16u) {
      loaded_image2 = image_at(image2, next_k, behind);
    }
    var left = turned(
      tile[tile_column],
      tile[tile_column + COLS],
      tile[tile_column + 2u * COLS],
      tile[tile_column + 3u * COLS],
    );
    var right = turned(
      tile[tile_column + 4u * COLS],
      tile[tile_column + 5u * COLS],
      tile[tile_column + 6u * COLS],
      tile[tile_column + 7u * COLS],
    );
    sums[0] = plus(sums[0], tile[tile_row], left, right);
    sums[1] = plus(sums[1], tile[tile_row + ROWS], left, right);
    sums[2] = plus(sums[2], tile[tile_row + 2u * ROWS], left, right);
    sums[3] = plus(sums[3], tile[tile_row + 3u * ROWS], left, right);
    sums[4] = plus(sums[4], tile[tile_row + 4u * ROWS], left, right);
    sums[5] = plus(sums[5], tile[tile_row + 5u * ROWS], left, right);
    sums[6] = plus(sums[6], tile[tile_row + 6u * ROWS], left, right);
    sums[7] = plus(sums[7], tile[tile_row + 7u * ROWS], left, right);
    // The images' tile now and the weights' behind the other four of K: so fewer values are on their way at once.
    tile[image_place + other * (16u * ROWS)] = loaded_image;
    if (COLS < 16u) {
      tile[image_place + MORE + other * (16u * ROWS)] = loaded_image2;
    }
    let loaded_row = weights_at(row, next_k, behind);
    var loaded_row2 = Four();
    if (ROWS < 16u) {
      loaded_row2 = weights_at(row2, next_k, behind);
    }
    left = turned(
      tile[tile_column + 8u * COLS],
      tile[tile_column + 9u * COLS],
      tile[tile_column + 10u * COLS],
      tile[tile_column + 11u * COLS],
    );
    right = turned(
      tile[tile_column + 12u * COLS],
      tile[tile_column + 13u * COLS],
      tile[tile_column + 14u * COLS],
      tile[tile_column + 15u * COLS],
    );
    sums[0] = plus(sums[0], tile[tile_row + 8u * ROWS], left, right);
    sums[1] = plus(sums[1], tile[tile_row + 9u * ROWS], left, right);
    sums[2] = plus(sums[2], tile[tile_row + 10u * ROWS], left, right);
    sums[3] = plus(sums[3], tile[tile_row + 11u * ROWS], left, right);
    sums[4] = plus(sums[4], tile[tile_row + 12u * ROWS], left, right);
    sums[5] = plus(sums[5], tile[tile_row + 13u * ROWS], left, right);
    sums[6] = plus(sums[6], tile[tile_row + 14u * ROWS], left, right);
    sums[7] = plus(sums[7], tile[tile_row + 15u * ROWS], left, right);
    tile[row_place + other * (16u * COLS)] = unpack(loaded_row);
    if (ROWS < 16u) {
      tile[row_place + MORE + other * (16u * COLS)] = unpack(loaded_row2);
    }
  }

  let n = first_n + first_row;
  let o = first_o + first_column;
  store_row(wg.z, n, o, sums[0]);
  store_row(wg.z, n + ROWS, o, sums[1]);
  store_row(wg.z, n + 2u * ROWS, o, sums[2]);
  store_row(wg.z, n + 3u * ROWS, o, sums[3]);
  store_row(wg.z, n + 4u * ROWS, o, sums[4]);
  store_row(wg.z, n + 5u * ROWS, o, sums[5]);
  store_row(wg.z, n + 6u * ROWS, o, sums[6]);
  store_row(wg.z, n + 7u * ROWS, o, sums[7]);
}
