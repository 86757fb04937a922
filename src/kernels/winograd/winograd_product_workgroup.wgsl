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
import package::shared::product_tile::{
  COLUMNS,
  COLUMN_STEP,
  NEXT_PLACE,
  ROW_STEP,
  SIDE,
  Sums,
  block_of,
  multiply,
  tile,
};
import package::shared::rounds::MOST_ROUNDS;
import constants::{COLS, ROWS};

// Whether K is a multiple of 8: nothing then has to be kept from counting.
override WHOLE: bool;

struct Params {
  channels: u32,
  out_stride: u32,
  stride: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> filters: array<Stored4>;
@group(0) @binding(2) var<storage, read> transformed: array<Stored4>;
@group(0) @binding(3) var<storage, read_write> product: array<Stored4>;

// Four of the operands a row, that are loaded before the product and stored behind it: as they are in memory, since to
// look at what was loaded is to wait for it.
struct Loaded {
  u: Stored4,
  v: Stored4,
  // Of a second row, where there are fewer invocations than fours.
  u2: Stored4,
  v2: Stored4,
}

// Where an invocation's fours are: in which row of each, and where its column begins, or with WHOLE its row in it.
struct From {
  u_row: u32,
  v_row: u32,
  u_base: u32,
  v_base: u32,
}

// How far it is from an operand's first row, or the first that is an invocation's own, to that of a round that begins at
// `start` and of the rows of `more` later steps. A row beyond K is the last one.
fn way_to(start: u32, own: u32, more: u32, pitch: u32) -> u32 {
  if (WHOLE) {
    return (start + more) * pitch;
  }
  return min(start + own + more, params.channels - 1u) * pitch;
}

fn load(start: u32, at: From) -> Loaded {
  let u_pitch = params.out_stride / 4u;
  let v_pitch = params.stride / 4u;
  var loaded: Loaded;
  loaded.u = filters[at.u_base + way_to(start, at.u_row, 0u, u_pitch)];
  loaded.v = transformed[at.v_base + way_to(start, at.v_row, 0u, v_pitch)];
  if (COLS < 16u) {
    loaded.u2 = filters[at.u_base + way_to(start, at.u_row, COLS / 2u, u_pitch)];
  }
  if (ROWS < 16u) {
    loaded.v2 = transformed[at.v_base + way_to(start, at.v_row, ROWS / 2u, v_pitch)];
  }
  return loaded;
}

// Filters beyond K count as zero.
fn within(row: u32, value: Stored4) -> vec4f {
  return select(vec4f(0), vec4f(value), WHOLE || row < params.channels);
}

@compute @workgroup_size(COLS, ROWS)
fn main(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_index) local: u32) {
  let u_pitch = params.out_stride / 4u;
  let v_pitch = params.stride / 4u;
  let first_u = wg.y * 2u * ROWS;
  let first_v = wg.x * 2u * COLS;
  let u_column = local % (2u * ROWS);
  let v_column = local % (2u * COLS);
  let u_row = local / (2u * ROWS);
  let v_row = local / (2u * COLS);
  let at = From(
    u_row,
    v_row,
    (wg.z * params.channels + select(0u, u_row, WHOLE)) * u_pitch + min(first_u + u_column, u_pitch - 1u),
    (wg.z * params.channels + select(0u, v_row, WHOLE)) * v_pitch + min(first_v + v_column, v_pitch - 1u),
  );
  let u_place = u_row * ROW_STEP + u_column;
  let v_place = COLUMNS + v_row * COLUMN_STEP + v_column;
  let block = block_of(local);
  var sums: Sums;
  let rounds = (params.channels + 7u) / 8u;
  let last = rounds - 1u;
  let first = load(0u, at);
  tile[u_place] = within(u_row, first.u);
  tile[v_place] = vec4f(first.v);
  if (COLS < 16u) {
    tile[u_place + NEXT_PLACE] = within(u_row + COLS / 2u, first.u2);
  }
  if (ROWS < 16u) {
    tile[v_place + NEXT_PLACE] = vec4f(first.v2);
  }
  for (var round = 0u; round < MOST_ROUNDS; round++) {
    if (round >= rounds) {
      break;
    }
    workgroupBarrier();
    // The last round loads its own again, for nobody.
    let next = 8u * min(round + 1u, last);
    let loaded = load(next, at);
    let side = min(round & 1u, 1u);
    multiply(&sums, side, block);
    // Whoever has passed the barrier has done with the other side, read in the round before.
    let other = (1u - side) * SIDE;
    tile[u_place + other] = within(next + u_row, loaded.u);
    tile[v_place + other] = vec4f(loaded.v);
    if (COLS < 16u) {
      tile[u_place + NEXT_PLACE + other] = within(next + u_row + COLS / 2u, loaded.u2);
    }
    if (ROWS < 16u) {
      tile[v_place + NEXT_PLACE + other] = vec4f(loaded.v2);
    }
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
