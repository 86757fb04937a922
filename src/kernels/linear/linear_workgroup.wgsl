// Fully connected layer, one row shard of its weights, as a matrix product in tiles of workgroup memory: the version for
// GPUs. What it computes, and the shapes: layer.wgsl.
//
// GEMM: M = batch, N = outputs, K = IN_FEATURES; 2 M N K FLOPs. Tiles of 8 ROWS images x 8 COLS outputs:
// product_tile.wgsl. Both operands have K innermost, where the tiles have it outermost: an invocation brings four rows at
// four of K, 16 numbers of weights or of images, and turns them in registers. There are 4 (ROWS + COLS) such bricks, never
// more than invocations. Weights are un-packed on the way into workgroup memory; each is read ceil(batch / (8 ROWS)) times.
// Few outputs are few workgroups: workgroup z adds up its own `depth` of K, and linear_sums.wgsl the workgroups' sums.
//   partial   output[z, n, o - first_output] = sum of input[n, k] weights[o - first_output, k] over z's k
// Registers: 64 sums, 16 operands, 16 values that are on their way.
// The barrier stands in a loop whose bounds are uniforms, and no invocation leaves early.
// Preconditions: ROWS and COLS 8 or 16; depth a multiple of 8; fewer than 2^31 elements a tensor.

import package::linear::layer::{IN_FEATURES, input, output, params, row_starts, store4, weights};
import package::shared::product_tile::{Sums, block_of, column_place, multiply, put, row_place};
import package::shared::weights::unpack;
import constants::{COLS, ROWS};

// Four rows of a matrix at four of K.
struct Brick {
  // Of the weights, or of the images behind them; or none, of invocations beyond.
  is_weights: bool,
  is_image: bool,
  // Which four of a step's eight, and where the rows begin.
  first_k: u32,
  starts: vec4u,
  // Where the first of K goes in the tile, and how far it is from there to the same of the other buffer.
  place: u32,
  pitch: u32,
}

fn brick_of(local: u32, first_n: u32, first_o: u32) -> Brick {
  let pitch = (IN_FEATURES + 3u) / 4u;
  let is_weights = local < 4u * COLS;
  let job = select(local - 4u * COLS, local, is_weights);
  let four = job / 2u;
  let first_k = job % 2u * 4u;
  let images = row_starts(first_n + 4u * four, params.batch, IN_FEATURES);
  let rows = row_starts(first_o + 4u * four, params.shard_outputs, pitch);
  let starts = select(images, rows, vec4<bool>(is_weights));
  let place = select(row_place(first_k, four), column_place(first_k, four), is_weights);
  return Brick(is_weights, !is_weights && job < 4u * ROWS, first_k, starts, place, select(ROWS, COLS, is_weights));
}

// A column each row. Weights beyond the last are zero, so images there may be any: the last, again.
fn load(loaded: ptr<function, mat4x4f>, brick: Brick, start: u32) {
  let k = start + brick.first_k;
  if (brick.is_weights) {
    if (IN_FEATURES % 8u != 0u && k >= IN_FEATURES) {
      *loaded = mat4x4f();
    } else {
      let at = brick.starts + k / 4u;
      *loaded = mat4x4f(unpack(weights[at.x]), unpack(weights[at.y]), unpack(weights[at.z]), unpack(weights[at.w]));
    }
  } else if (brick.is_image) {
    *loaded = mat4x4f(
      row_at(brick.starts.x, k),
      row_at(brick.starts.y, k),
      row_at(brick.starts.z, k),
      row_at(brick.starts.w, k),
    );
  }
}

// Four numbers in a row are one access where all of them exist.
fn row_at(start: u32, k: u32) -> vec4f {
  if (IN_FEATURES % 8u == 0u) {
    let at = start + k;
    return vec4f(input[at], input[at + 1u], input[at + 2u], input[at + 3u]);
  }
  let at = start + min(k + vec4u(0, 1, 2, 3), vec4u(IN_FEATURES - 1u));
  return vec4f(input[at.x], input[at.y], input[at.z], input[at.w]);
}

fn put_brick(side: u32, brick: Brick, loaded: mat4x4f) {
  if (brick.is_weights || brick.is_image) {
    let steps = transpose(loaded);
    let at = brick.place + side * brick.pitch;
    put(at, steps[0]);
    put(at + 4u * brick.pitch, steps[1]);
    put(at + 8u * brick.pitch, steps[2]);
    put(at + 12u * brick.pitch, steps[3]);
  }
}

@if(ends_partial)
fn store_partial(part: u32, n: u32, first: u32, totals: vec4f) {
  if (n >= params.batch) {
    return;
  }
  let at = (part * params.batch + n) * params.shard_outputs + first;
  for (var i = 0u; i < 4u && first + i < params.shard_outputs; i++) {
    output[at + i] = totals[i];
  }
}

fn store_row(part: u32, n: u32, o: u32, left: vec4f, right: vec4f) {
  @if(ends_plain) store4(n, o, left);
  @if(ends_plain) store4(n, o + 4u * COLS, right);
  @if(ends_partial) store_partial(part, n, o, left);
  @if(ends_partial) store_partial(part, n, o + 4u * COLS, right);
}

@compute @workgroup_size(COLS, ROWS)
fn main(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_index) local: u32) {
  let first_n = wg.y * 8u * ROWS;
  let first_o = wg.x * 8u * COLS;
  let first_k = wg.z * params.depth;
  let last_k = min(first_k + params.depth, IN_FEATURES);
  let brick = brick_of(local, first_n, first_o);
  let block = block_of(local);
  var loaded = mat4x4f();
  load(&loaded, brick, first_k);
  var sums: Sums;
  var side = 0u;
  for (var start = first_k; start < last_k; start += 8u) {
    // Whoever has passed the barrier of the last round has done with this side, read in the round before.
    put_brick(side, brick, loaded);
    workgroupBarrier();
    if (start + 8u < last_k) {
      load(&loaded, brick, start + 8u);
    }
    multiply(&sums, side, block);
    side ^= 1u;
  }

  let upper = first_n + 4u * block.row;
  let lower = upper + 4u * ROWS;
  let o = first_o + 4u * block.column;
  store_row(wg.z, upper, o, sums[0], sums[1]);
  store_row(wg.z, upper + 1u, o, sums[2], sums[3]);
  store_row(wg.z, upper + 2u, o, sums[4], sums[5]);
  store_row(wg.z, upper + 3u, o, sums[6], sums[7]);
  store_row(wg.z, lower, o, sums[8], sums[9]);
  store_row(wg.z, lower + 1u, o, sums[10], sums[11]);
  store_row(wg.z, lower + 2u, o, sums[12], sums[13]);
  store_row(wg.z, lower + 3u, o, sums[14], sums[15]);
}
