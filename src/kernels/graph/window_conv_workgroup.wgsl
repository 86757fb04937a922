// Convolution over windows of any size and stride, in groups or not, bias, an addition and activation, as a matrix
// product in tiles of workgroup memory (implicit GEMM: the matrix of windows is gathered tile by tile and never stored).
// For GPUs.
//
//   sum[n, o, y, x]    = bias[o] + sum_(c, ky, kx) weights[o, c, ky, kx] pixels[n, c, y sy + ky - top, x sx + kx - left]
//   output[n, o, y, x] = activation(sum + added[n, o, y, x])        c in the group of o
//
// Shapes and pixels: window.wgsl. A mask is evaluated anew for every channel of the input, of which a first layer has 3.
// GEMM: M = out_channels, N = batch out_height out_width, K = kernel_height kernel_width in_channels, the latter rounded up
// to 4; 2 M N K FLOPs for each group, which has tiles of its own. Tiles of 8 ROWS channels x 8 COLS outputs:
// product_tile.wgsl.
// The barrier stands in a loop whose bounds are uniforms, and no invocation leaves early.
// Preconditions: ROWS x COLS 16 x 16, 16 x 8, 8 x 16, 8 x 8 or 4 x 16; fewer than 2^31 elements a tensor.

import package::graph::window::{Windows, bias, params, pixels_of, store, tap_of, windows_from};
import package::shared::weights::{Four, unpack};
import package::shared::product_tile::{
  NEXT_PLACE,
  block_of,
  column_place,
  multiply,
  put_columns,
  put_rows,
  row_place,
  sums_from,
};
import constants::{COLS, ROWS};

@group(0) @binding(2) var<storage, read> weights: array<Four>;

fn depth_of() -> u32 {
  return (params.in_channels + 3u) / 4u * 4u;
}

fn rows_of() -> u32 {
  return params.kernel_height * params.kernel_width * depth_of();
}

// Four weights of row k. Beyond the last row, that one again, of pixels that are zero: to drop what was loaded would be to
// wait for it before the product.
fn weight_at(k: u32, group: u32, column: u32, pitch: u32) -> vec4f {
  let rows = rows_of();
  return unpack(weights[(group * rows + min(k, rows - 1u)) * pitch + column]);
}

// Row k of the matrix of windows at four outputs. Beyond the last channel, that one, which has weights of zero there.
fn windows_at(k: u32, group: u32, windows: Windows) -> vec4f {
  if (k >= rows_of()) {
    return vec4f(0);
  }
  let tap = k / depth_of();
  let channel = min(k - tap * depth_of(), params.in_channels - 1u);
  let ky = tap / params.kernel_width;
  let at = tap_of(windows, ky, tap - ky * params.kernel_width);
  return pixels_of(at, group * params.in_channels + channel);
}

fn store_four(sum: vec4f, first: u32, windows: Windows, group: u32, o: u32) {
  if (o < params.out_channels) {
    store(sum, first, windows, group * params.out_channels + o);
  }
}

@compute @workgroup_size(COLS, ROWS)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let depth = rows_of();
  let pitch = (params.out_channels + 7u) / 8u * 2u;
  let tiles = groups.y / params.groups;
  let group = wg.y / tiles;
  let first_four = wg.y % tiles * 2u * ROWS;
  let first_output = (wg.x + wg.z * groups.x) * 8u * COLS;

  // What this invocation brings: a vec4f of one row of each tile, and of more rows where there are fewer invocations.
  // Channels beyond the last are computed from the last ones and not stored.
  let weight_row = local / (2u * ROWS);
  let weight_four = local % (2u * ROWS);
  let weight_column = min(first_four + weight_four, pitch - 1u);
  let pixel_row = local / (2u * COLS);
  let pixel_four = local % (2u * COLS);
  let weight_place = row_place(weight_row, weight_four);
  let pixel_place = column_place(pixel_row, pixel_four);
  let gathered = windows_from(first_output + 4u * pixel_four);
  var next_w = weight_at(weight_row, group, weight_column, pitch);
  var next_w2 = vec4f(0);
  if (COLS < 16u) {
    next_w2 = weight_at(weight_row + COLS / 2u, group, weight_column, pitch);
  }
  var next_p = windows_at(pixel_row, group, gathered);
  var next_p2 = vec4f(0);
  var next_p3 = vec4f(0);
  var next_p4 = vec4f(0);
  if (ROWS < 16u) {
    next_p2 = windows_at(pixel_row + ROWS / 2u, group, gathered);
  }
  if (ROWS < 8u) {
    next_p3 = windows_at(pixel_row + ROWS, group, gathered);
    next_p4 = windows_at(pixel_row + ROWS * 3u / 2u, group, gathered);
  }

  // What it computes.
  let block = block_of(local);
  let upper_bias = bias[group * pitch + min(first_four + block.row, pitch - 1u)];
  let lower_bias = bias[group * pitch + min(first_four + ROWS + block.row, pitch - 1u)];
  var sums = sums_from(upper_bias, lower_bias);
  var side = 0u;
  for (var start = 0u; start < depth; start += 8u) {
    // Whoever has passed the barrier of the last round has done with this side, read in the round before.
    put_rows(side, weight_place, next_w);
    if (COLS < 16u) {
      put_rows(side, weight_place + NEXT_PLACE, next_w2);
    }
    put_columns(side, pixel_place, next_p);
    if (ROWS < 16u) {
      put_columns(side, pixel_place + NEXT_PLACE, next_p2);
    }
    if (ROWS < 8u) {
      put_columns(side, pixel_place + 2u * NEXT_PLACE, next_p3);
      put_columns(side, pixel_place + 3u * NEXT_PLACE, next_p4);
    }
    workgroupBarrier();
    let next = start + 8u;
    if (next < depth) {
      next_w = weight_at(next + weight_row, group, weight_column, pitch);
      if (COLS < 16u) {
        next_w2 = weight_at(next + weight_row + COLS / 2u, group, weight_column, pitch);
      }
      next_p = windows_at(next + pixel_row, group, gathered);
      if (ROWS < 16u) {
        next_p2 = windows_at(next + pixel_row + ROWS / 2u, group, gathered);
      }
      if (ROWS < 8u) {
        next_p3 = windows_at(next + pixel_row + ROWS, group, gathered);
        next_p4 = windows_at(next + pixel_row + ROWS * 3u / 2u, group, gathered);
      }
    }
    multiply(&sums, side, block);
    side = 1u - side;
  }

  let upper = 4u * (first_four + block.row);
  let lower = 4u * (first_four + ROWS + block.row);
  var first = first_output + 4u * block.column;
  var windows = windows_from(first);
  store_four(sums[0], first, windows, group, upper);
  store_four(sums[2], first, windows, group, upper + 1u);
  store_four(sums[4], first, windows, group, upper + 2u);
  store_four(sums[6], first, windows, group, upper + 3u);
  store_four(sums[8], first, windows, group, lower);
  store_four(sums[10], first, windows, group, lower + 1u);
  store_four(sums[12], first, windows, group, lower + 2u);
  store_four(sums[14], first, windows, group, lower + 3u);
  first += 4u * COLS;
  windows = windows_from(first);
  store_four(sums[1], first, windows, group, upper);
  store_four(sums[3], first, windows, group, upper + 1u);
  store_four(sums[5], first, windows, group, upper + 2u);
  store_four(sums[7], first, windows, group, upper + 3u);
  store_four(sums[9], first, windows, group, lower);
  store_four(sums[11], first, windows, group, lower + 1u);
  store_four(sums[13], first, windows, group, lower + 2u);
  store_four(sums[15], first, windows, group, lower + 3u);
}
