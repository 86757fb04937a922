// Winograd, second of three kernels, for GPUs: the matrix products in tiles of workgroup memory. F(4x4, 3x3) has
// 36 of them.
//
//   M[e, o, t] = sum_c U[e, c, o] V[e, c, t]        e in workgroup z
//
// Shapes: filters U [e, channels, out_stride] and transformed V [e, channels, stride], both read four at a time;
// product M [e, out_stride, stride]. out_stride is a multiple of 8, stride one of 4.
//
// GEMM: M = out_stride, N = stride, K = channels; 2 M N K FLOPs for each e. Both operands have K outermost, which is
// what outer products want: nothing is transposed. Tiles of 8 ROWS channels x 8 COLS tiles: product_tile.wgsl.
// The barrier stands in a loop whose bound is a uniform, and no invocation leaves early.
//
// Nothing outside of the matrices is read or written: a load beyond the last channel or tile takes the last, and
// its sum is not stored; a row beyond K counts as zero. A workgroup beyond the last tile does harm to nothing.
// Preconditions: ROWS and COLS 8 or 16; fewer than 2^31 elements a tensor.

import package::winograd::stored::{Stored4, store_m};
import package::shared::product_tile::{Sums, block_of, multiply, put_columns, put_rows};
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

// Four of the operands a row, that are loaded before the product and stored behind it.
struct Loaded {
  u: vec4f,
  v: vec4f,
  // Of a second row, where there are fewer invocations than fours.
  u2: vec4f,
  v2: vec4f,
}

// Where an invocation's fours are, in a row of each.
struct From {
  u_row: u32,
  u_column: u32,
  v_row: u32,
  v_column: u32,
  u_base: u32,
  v_base: u32,
}

// A row beyond K is the last one.
fn u_at(row: u32, base: u32) -> vec4f {
  return vec4f(filters[base + min(row, params.channels - 1u) * (params.out_stride / 4u)]);
}

fn v_at(row: u32, base: u32) -> vec4f {
  return vec4f(transformed[base + min(row, params.channels - 1u) * (params.stride / 4u)]);
}

fn load(start: u32, at: From) -> Loaded {
  var loaded: Loaded;
  loaded.u = u_at(start + at.u_row, at.u_base);
  loaded.v = v_at(start + at.v_row, at.v_base);
  if (COLS < 16u) {
    loaded.u2 = u_at(start + at.u_row + COLS / 2u, at.u_base);
  }
  if (ROWS < 16u) {
    loaded.v2 = v_at(start + at.v_row + ROWS / 2u, at.v_base);
  }
  return loaded;
}

// Filters beyond K count as zero. That is seen to here, and not where they are loaded: to look at what was loaded is to
// wait for it.
fn put(side: u32, start: u32, loaded: Loaded, at: From) {
  put_rows(side, at.u_row, at.u_column, within(start + at.u_row, loaded.u));
  put_columns(side, at.v_row, at.v_column, loaded.v);
  if (COLS < 16u) {
    put_rows(side, at.u_row + COLS / 2u, at.u_column, within(start + at.u_row + COLS / 2u, loaded.u2));
  }
  if (ROWS < 16u) {
    put_columns(side, at.v_row + ROWS / 2u, at.v_column, loaded.v2);
  }
}

fn within(row: u32, value: vec4f) -> vec4f {
  return select(vec4f(0), value, row < params.channels);
}

@compute @workgroup_size(COLS, ROWS)
fn main(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_index) local: u32) {
  let u_pitch = params.out_stride / 4u;
  let v_pitch = params.stride / 4u;
  let first_u = wg.y * 2u * ROWS;
  let first_v = wg.x * 2u * COLS;
  let u_column = local % (2u * ROWS);
  let v_column = local % (2u * COLS);
  let at = From(
    local / (2u * ROWS),
    u_column,
    local / (2u * COLS),
    v_column,
    wg.z * params.channels * u_pitch + min(first_u + u_column, u_pitch - 1u),
    wg.z * params.channels * v_pitch + min(first_v + v_column, v_pitch - 1u),
  );
  let block = block_of(local);
  var loaded = load(0u, at);
  var sums: Sums;
  var side = 0u;
  for (var start = 0u; start < params.channels; start += 8u) {
    // Whoever has passed the barrier of the last round has done with this side, read in the round before.
    put(side, start, loaded, at);
    workgroupBarrier();
    // A branch, so that no compiler moves the loads behind the product, which they are to be hidden by.
    if (start + 8u < params.channels) {
      loaded = load(start + 8u, at);
    }
    multiply(&sums, side, block);
    side ^= 1u;
  }

  let left = first_v + block.column;
  let right = first_v + COLS + block.column;
  let upper = 4u * (first_u + block.row);
  let lower = 4u * (first_u + ROWS + block.row);
  let plane = wg.z * params.out_stride;
  if (upper < params.out_stride) {
    let at = (plane + upper) * v_pitch;
    if (left < v_pitch) {
      product[at + 0u * v_pitch + left] = store_m(sums[0]);
      product[at + 1u * v_pitch + left] = store_m(sums[2]);
      product[at + 2u * v_pitch + left] = store_m(sums[4]);
      product[at + 3u * v_pitch + left] = store_m(sums[6]);
    }
    if (right < v_pitch) {
      product[at + 0u * v_pitch + right] = store_m(sums[1]);
      product[at + 1u * v_pitch + right] = store_m(sums[3]);
      product[at + 2u * v_pitch + right] = store_m(sums[5]);
      product[at + 3u * v_pitch + right] = store_m(sums[7]);
    }
  }
  if (lower < params.out_stride) {
    let at = (plane + lower) * v_pitch;
    if (left < v_pitch) {
      product[at + 0u * v_pitch + left] = store_m(sums[8]);
      product[at + 1u * v_pitch + left] = store_m(sums[10]);
      product[at + 2u * v_pitch + left] = store_m(sums[12]);
      product[at + 3u * v_pitch + left] = store_m(sums[14]);
    }
    if (right < v_pitch) {
      product[at + 0u * v_pitch + right] = store_m(sums[9]);
      product[at + 1u * v_pitch + right] = store_m(sums[11]);
      product[at + 2u * v_pitch + right] = store_m(sums[13]);
      product[at + 3u * v_pitch + right] = store_m(sums[15]);
    }
  }
}
