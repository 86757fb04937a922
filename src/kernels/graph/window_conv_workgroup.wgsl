// Convolution over windows of any size and stride, in groups or not, bias, an addition and activation, as a matrix
// product in tiles of workgroup memory (implicit GEMM: the matrix of windows is gathered tile by tile and never stored).
// For GPUs.
//
//   sum[n, o, y, x]    = bias[o] + sum_(c, ky, kx) weights[o, c, ky, kx] pixels[n, c, y sy + ky - top, x sx + kx - left]
//   output[n, o, y, x] = activation(sum + added[n, o, y, x])        c in the group of o
//
// Shapes and pixels: window.wgsl. A mask is evaluated anew for every channel of the input, of which a first layer has 3.
// GEMM: M = out_channels, N = batch out_height out_width, K = kernel_height kernel_width in_channels, the latter rounded up
// to 4; 2 M N K FLOPs for each group. ROWS x COLS invocations compute 8 ROWS channels x 8 COLS outputs, 8 of K at a time,
// as in conv_workgroup.wgsl, but for what is gathered: four outputs in a row, and not a quad. Groups have tiles of their
// own. Each number is read from memory once a tile; in a step of K an invocation reads 4 vec4f of workgroup memory for 64
// multiply-adds.
// While a tile is multiplied the next one is loaded into registers, and it is written into the other of two
// buffers: one barrier for 8 of K. It stands in a loop whose bounds are uniforms, and no invocation leaves early.
// Workgroup memory: 16 KiB at 16 x 16, half for weights, half for pixels.
// Preconditions: ROWS x COLS 16 x 16, 16 x 8, 8 x 16, 8 x 8 or 4 x 16; fewer than 2^31 elements a tensor.

import package::graph::window::{Windows, bias, params, pixels_of, store, tap_of, windows_from};
import package::shared::weights::{Four, unpack};
import constants::{COLS, ROWS};

@group(0) @binding(2) var<storage, read> weights: array<Four>;

// Two buffers of [8 rows of K][2 ROWS], four channels each, and of [8 rows of K][2 COLS], four outputs each.
var<workgroup> weight_tile: array<vec4f, 32 * ROWS>;
var<workgroup> pixel_tile: array<vec4f, 32 * COLS>;

fn depth_of() -> u32 {
  return (params.in_channels + 3u) / 4u * 4u;
}

fn rows_of() -> u32 {
  return params.kernel_height * params.kernel_width * depth_of();
}

// Four weights of row k; zero beyond the last row, which then adds nothing.
fn weight_at(k: u32, group: u32, column: u32, pitch: u32) -> vec4f {
  let rows = rows_of();
  let value = unpack(weights[(group * rows + min(k, rows - 1u)) * pitch + column]);
  return select(vec4f(0), value, k < rows);
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
  let weight_column = min(first_four + local % (2u * ROWS), pitch - 1u);
  let pixel_row = local / (2u * COLS);
  let gathered = windows_from(first_output + 4u * (local % (2u * COLS)));
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
  let lane = local % 32u;
  let warp = local / 32u;
  let column = lane % 8u + 8u * (warp % (COLS / 8u));
  let row = lane / 8u + 4u * (warp / (COLS / 8u));
  let upper_bias = bias[group * pitch + min(first_four + row, pitch - 1u)];
  let lower_bias = bias[group * pitch + min(first_four + ROWS + row, pitch - 1u)];
  var s00 = vec4f(upper_bias.x);
  var s01 = vec4f(upper_bias.x);
  var s10 = vec4f(upper_bias.y);
  var s11 = vec4f(upper_bias.y);
  var s20 = vec4f(upper_bias.z);
  var s21 = vec4f(upper_bias.z);
  var s30 = vec4f(upper_bias.w);
  var s31 = vec4f(upper_bias.w);
  var s40 = vec4f(lower_bias.x);
  var s41 = vec4f(lower_bias.x);
  var s50 = vec4f(lower_bias.y);
  var s51 = vec4f(lower_bias.y);
  var s60 = vec4f(lower_bias.z);
  var s61 = vec4f(lower_bias.z);
  var s70 = vec4f(lower_bias.w);
  var s71 = vec4f(lower_bias.w);
  var side = 0u;
  for (var start = 0u; start < depth; start += 8u) {
    // Whoever has passed the barrier of the last round has done with this side, read in the round before.
    weight_tile[side * 16u * ROWS + local] = next_w;
    if (COLS < 16u) {
      weight_tile[side * 16u * ROWS + local + ROWS * COLS] = next_w2;
    }
    pixel_tile[side * 16u * COLS + local] = next_p;
    if (ROWS < 16u) {
      pixel_tile[side * 16u * COLS + local + ROWS * COLS] = next_p2;
    }
    if (ROWS < 8u) {
      pixel_tile[side * 16u * COLS + local + 2u * ROWS * COLS] = next_p3;
      pixel_tile[side * 16u * COLS + local + 3u * ROWS * COLS] = next_p4;
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
    for (var k = 0u; k < 8u; k++) {
      let wa = weight_tile[side * 16u * ROWS + k * 2u * ROWS + row];
      let wb = weight_tile[side * 16u * ROWS + k * 2u * ROWS + ROWS + row];
      let p0 = pixel_tile[side * 16u * COLS + k * 2u * COLS + column];
      let p1 = pixel_tile[side * 16u * COLS + k * 2u * COLS + COLS + column];
      s00 += wa.x * p0;
      s01 += wa.x * p1;
      s10 += wa.y * p0;
      s11 += wa.y * p1;
      s20 += wa.z * p0;
      s21 += wa.z * p1;
      s30 += wa.w * p0;
      s31 += wa.w * p1;
      s40 += wb.x * p0;
      s41 += wb.x * p1;
      s50 += wb.y * p0;
      s51 += wb.y * p1;
      s60 += wb.z * p0;
      s61 += wb.z * p1;
      s70 += wb.w * p0;
      s71 += wb.w * p1;
    }
    side = 1u - side;
  }

  let upper = 4u * (first_four + row);
  let lower = 4u * (first_four + ROWS + row);
  var first = first_output + 4u * column;
  var windows = windows_from(first);
  store_four(s00, first, windows, group, upper);
  store_four(s10, first, windows, group, upper + 1u);
  store_four(s20, first, windows, group, upper + 2u);
  store_four(s30, first, windows, group, upper + 3u);
  store_four(s40, first, windows, group, lower);
  store_four(s50, first, windows, group, lower + 1u);
  store_four(s60, first, windows, group, lower + 2u);
  store_four(s70, first, windows, group, lower + 3u);
  first += 4u * COLS;
  windows = windows_from(first);
  store_four(s01, first, windows, group, upper);
  store_four(s11, first, windows, group, upper + 1u);
  store_four(s21, first, windows, group, upper + 2u);
  store_four(s31, first, windows, group, upper + 3u);
  store_four(s41, first, windows, group, lower);
  store_four(s51, first, windows, group, lower + 1u);
  store_four(s61, first, windows, group, lower + 2u);
  store_four(s71, first, windows, group, lower + 3u);
}
