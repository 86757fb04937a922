// Winograd, second of three kernels, for GPUs: the matrix products in tiles of workgroup memory. F(4x4, 3x3) has
// 36 of them.
//
//   M[e, o, t] = sum_c U[e, c, o] V[e, c, t]        e in workgroup z
//
// Shapes: filters U [e, channels, out_stride] and transformed V [e, channels, stride], both read four at a time;
// product M [e, out_stride, stride]. out_stride is a multiple of 8, stride one of 4.
//
// GEMM: M = out_stride, N = stride, K = channels; 2 M N K FLOPs for each e. Both operands have K outermost, which is
// what outer products want: nothing is transposed. ROWS x COLS invocations compute 8 ROWS channels x 8 COLS tiles,
// 8 of K at a time; one invocation has 8 x 8 of them, two blocks of 4 each way, half a tile apart, so that
// neighbours read neighbouring vec4f of workgroup memory. Each 32 invocations stand 4 x 8: together they read 4 and 8
// vec4f twice for 32 x 64 multiply-adds.
//
// In a step of K an invocation reads 4 vec4f of workgroup memory for 64 multiply-adds. A tile of 128 x 128 reads
// 256 values of the operands for 16384 multiply-adds, 0.0625 bytes each in f32, 64 x 64 reads twice that.
// Registers: 64 sums, 16 operands, 8 (or 16) values that are on their way.
// While a tile is multiplied the next one is loaded into registers, and it is written into the other of two
// buffers: one barrier for 8 of K. It stands in a loop whose bound is a uniform, and no invocation leaves early.
// Workgroup memory: 16 KiB at 16 x 16, of which half are U; 8 KiB at 8 x 8.
//
// Nothing outside of the matrices is read or written: a load beyond the last channel or tile takes the last, and
// its sum is not stored; a row beyond K counts as zero. A workgroup beyond the last tile does harm to nothing.
// Preconditions: ROWS and COLS 8 or 16; fewer than 2^31 elements a tensor.

import package::winograd::stored::{Stored4, store_m};
import constants::{COLS, ROWS};

struct Params {
  channels: u32,
  out_stride: u32,
  stride: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> filters: array<Stored4>;
@group(0) @binding(2) var<storage, read> transformed: array<Stored4>;
@group(0) @binding(3) var<storage, read_write> product: array<Stored4>;

// Two buffers of [8 rows of K][2 ROWS or 2 COLS].
var<workgroup> u_tile: array<vec4f, 32 * ROWS>;
var<workgroup> v_tile: array<vec4f, 32 * COLS>;

fn u_at(row: u32, base: u32, pitch: u32) -> vec4f {
  let inside = row < params.channels;
  let value = vec4f(filters[base + min(row, params.channels - 1u) * pitch]);
  return select(vec4f(0), value, inside);
}

fn v_at(row: u32, base: u32, pitch: u32) -> vec4f {
  let inside = row < params.channels;
  let value = vec4f(transformed[base + min(row, params.channels - 1u) * pitch]);
  return select(vec4f(0), value, inside);
}

@compute @workgroup_size(COLS, ROWS)
fn main(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_index) local: u32) {
  let u_pitch = params.out_stride / 4u;
  let v_pitch = params.stride / 4u;
  let first_u = wg.y * 2u * ROWS;
  let first_v = wg.x * 2u * COLS;

  // What this invocation brings: a vec4f of one row of each tile, and of a second where there are fewer invocations.
  let u_row = local / (2u * ROWS);
  let v_row = local / (2u * COLS);
  let u_base = wg.z * params.channels * u_pitch + min(first_u + local % (2u * ROWS), u_pitch - 1u);
  let v_base = wg.z * params.channels * v_pitch + min(first_v + local % (2u * COLS), v_pitch - 1u);
  var next_u = u_at(u_row, u_base, u_pitch);
  var next_v = v_at(v_row, v_base, v_pitch);
  var next_u2 = vec4f(0);
  var next_v2 = vec4f(0);
  if (COLS < 16u) {
    next_u2 = u_at(u_row + COLS / 2u, u_base, u_pitch);
  }
  if (ROWS < 16u) {
    next_v2 = v_at(v_row + ROWS / 2u, v_base, v_pitch);
  }

  // What it computes.
  let lane = local % 32u;
  let warp = local / 32u;
  let column = lane % 8u + 8u * (warp % (COLS / 8u));
  let row = lane / 8u + 4u * (warp / (COLS / 8u));
  var s00 = vec4f(0);
  var s01 = vec4f(0);
  var s10 = vec4f(0);
  var s11 = vec4f(0);
  var s20 = vec4f(0);
  var s21 = vec4f(0);
  var s30 = vec4f(0);
  var s31 = vec4f(0);
  var s40 = vec4f(0);
  var s41 = vec4f(0);
  var s50 = vec4f(0);
  var s51 = vec4f(0);
  var s60 = vec4f(0);
  var s61 = vec4f(0);
  var s70 = vec4f(0);
  var s71 = vec4f(0);
  var side = 0u;
  for (var start = 0u; start < params.channels; start += 8u) {
    // Whoever has passed the barrier of the last round has done with this side, read in the round before.
    u_tile[side * 16u * ROWS + local] = next_u;
    v_tile[side * 16u * COLS + local] = next_v;
    if (COLS < 16u) {
      u_tile[side * 16u * ROWS + local + ROWS * COLS] = next_u2;
    }
    if (ROWS < 16u) {
      v_tile[side * 16u * COLS + local + ROWS * COLS] = next_v2;
    }
    workgroupBarrier();
    if (start + 8u < params.channels) {
      next_u = u_at(start + 8u + u_row, u_base, u_pitch);
      next_v = v_at(start + 8u + v_row, v_base, v_pitch);
      if (COLS < 16u) {
        next_u2 = u_at(start + 8u + u_row + COLS / 2u, u_base, u_pitch);
      }
      if (ROWS < 16u) {
        next_v2 = v_at(start + 8u + v_row + ROWS / 2u, v_base, v_pitch);
      }
    }
    for (var k = 0u; k < 8u; k++) {
      let ua = u_tile[side * 16u * ROWS + k * 2u * ROWS + row];
      let ub = u_tile[side * 16u * ROWS + k * 2u * ROWS + ROWS + row];
      let v0 = v_tile[side * 16u * COLS + k * 2u * COLS + column];
      let v1 = v_tile[side * 16u * COLS + k * 2u * COLS + COLS + column];
      s00 += ua.x * v0;
      s01 += ua.x * v1;
      s10 += ua.y * v0;
      s11 += ua.y * v1;
      s20 += ua.z * v0;
      s21 += ua.z * v1;
      s30 += ua.w * v0;
      s31 += ua.w * v1;
      s40 += ub.x * v0;
      s41 += ub.x * v1;
      s50 += ub.y * v0;
      s51 += ub.y * v1;
      s60 += ub.z * v0;
      s61 += ub.z * v1;
      s70 += ub.w * v0;
      s71 += ub.w * v1;
    }
    side = 1u - side;
  }

  let left = first_v + column;
  let right = first_v + COLS + column;
  let upper = 4u * (first_u + row);
  let lower = 4u * (first_u + ROWS + row);
  let plane = wg.z * params.out_stride;
  if (upper < params.out_stride) {
    let at = (plane + upper) * v_pitch;
    if (left < v_pitch) {
      product[at + 0u * v_pitch + left] = store_m(s00);
      product[at + 1u * v_pitch + left] = store_m(s10);
      product[at + 2u * v_pitch + left] = store_m(s20);
      product[at + 3u * v_pitch + left] = store_m(s30);
    }
    if (right < v_pitch) {
      product[at + 0u * v_pitch + right] = store_m(s01);
      product[at + 1u * v_pitch + right] = store_m(s11);
      product[at + 2u * v_pitch + right] = store_m(s21);
      product[at + 3u * v_pitch + right] = store_m(s31);
    }
  }
  if (lower < params.out_stride) {
    let at = (plane + lower) * v_pitch;
    if (left < v_pitch) {
      product[at + 0u * v_pitch + left] = store_m(s40);
      product[at + 1u * v_pitch + left] = store_m(s50);
      product[at + 2u * v_pitch + left] = store_m(s60);
      product[at + 3u * v_pitch + left] = store_m(s70);
    }
    if (right < v_pitch) {
      product[at + 0u * v_pitch + right] = store_m(s41);
      product[at + 1u * v_pitch + right] = store_m(s51);
      product[at + 2u * v_pitch + right] = store_m(s61);
      product[at + 3u * v_pitch + right] = store_m(s71);
    }
  }
}
