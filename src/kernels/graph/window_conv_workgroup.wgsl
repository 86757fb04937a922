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

import package::graph::window::{
  Tap,
  Windows,
  bias,
  counted,
  params,
  store,
  tap_of,
  values_of,
  windows_from,
};
import package::shared::weights::{Four, unpack};
import package::shared::product_tile::{
  COLUMNS,
  COLUMN_STEP,
  NEXT_PLACE,
  ROW_STEP,
  SIDE,
  block_of,
  multiply,
  sums_from,
  tile,
};
import package::shared::rounds::MOST_ROUNDS;
import constants::{COLS, ROWS};

@group(0) @binding(2) var<storage, read> weights: array<Four>;

fn depth_of() -> u32 {
  return (params.in_channels + 3u) / 4u * 4u;
}

fn rows_of() -> u32 {
  return params.kernel_height * params.kernel_width * depth_of();
}

// Four weights of row k, as they are in memory: to look at what was loaded is to wait for it. Beyond the last row, that one
// again, of pixels that are zero.
fn weight_at(k: u32, group: u32, column: u32, pitch: u32) -> Four {
  let rows = rows_of();
  return weights[(group * rows + min(k, rows - 1u)) * pitch + column];
}

// A row of the matrix of windows.
struct Row {
  channel: u32,
  ky: u32,
  kx: u32,
}

fn row_of(k: u32) -> Row {
  let tap = k / depth_of();
  let ky = tap / params.kernel_width;
  return Row(k - tap * depth_of(), ky, tap - ky * params.kernel_width);
}

// The row that is `step` behind: a division less for each. Behind the last, ky is none of the kernel's.
fn behind(row: Row, step: Row) -> Row {
  let channel = row.channel + step.channel;
  let is_over = channel >= depth_of();
  let kx = row.kx + step.kx + u32(is_over);
  let is_wide = kx >= params.kernel_width;
  return Row(
    select(channel, channel - depth_of(), is_over),
    row.ky + step.ky + u32(is_wide),
    select(kx, kx - params.kernel_width, is_wide),
  );
}

// What an invocation brings of a tile: four weights of one row or two, and of 1, 2 or 4 channels of a tap, which are as many
// rows, four outputs.
struct Brought {
  w: Four,
  w2: Four,
  tap: Tap,
  p: vec4f,
  p2: vec4f,
  p3: vec4f,
  p4: vec4f,
}

fn bring(k: u32, group: u32, weight_column: u32, pitch: u32, row: Row, windows: Windows) -> Brought {
  var brought: Brought;
  brought.w = weight_at(k, group, weight_column, pitch);
  if (COLS < 16u) {
    brought.w2 = weight_at(k + COLS / 2u, group, weight_column, pitch);
  }
  brought.tap = tap_of(windows, row.ky, row.kx);
  @if(pixels_plain) brought.tap.inside &= vec4<bool>(row.ky < params.kernel_height);
  @if(pixels_masked) brought.tap.mask *= f32(row.ky < params.kernel_height);
  // Beyond the last channel, that one, which has weights of zero there.
  let first = group * params.in_channels;
  let last = params.in_channels - 1u;
  brought.p = values_of(brought.tap, first + min(row.channel, last));
  if (ROWS < 16u) {
    brought.p2 = values_of(brought.tap, first + min(row.channel + 1u, last));
  }
  if (ROWS < 8u) {
    brought.p3 = values_of(brought.tap, first + min(row.channel + 2u, last));
    brought.p4 = values_of(brought.tap, first + min(row.channel + 3u, last));
  }
  return brought;
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
  let pitch = (params.out_channels + 7u) / 8u * 2u;
  let tiles = groups.y / params.groups;
  let group = wg.y / tiles;
  let first_four = wg.y % tiles * 2u * ROWS;
  let first_output = (wg.x + wg.z * groups.x) * 8u * COLS;

  // What this invocation brings. Channels beyond the last are computed from the last ones and not stored.
  let weight_row = local / (2u * ROWS);
  let weight_four = local % (2u * ROWS);
  let weight_column = min(first_four + weight_four, pitch - 1u);
  let pixel_row = local / (2u * COLS) * (16u / ROWS);
  let pixel_four = local % (2u * COLS);
  let weight_place = weight_row * ROW_STEP + weight_four;
  let pixel_place = COLUMNS + pixel_row * COLUMN_STEP + pixel_four;
  let gathered = windows_from(first_output + 4u * pixel_four);
  let eight = row_of(8u);
  var row = row_of(pixel_row);
  let first = bring(weight_row, group, weight_column, pitch, row, gathered);
  tile[weight_place] = unpack(first.w);
  tile[pixel_place] = counted(first.p, first.tap);
  if (COLS < 16u) {
    tile[weight_place + NEXT_PLACE] = unpack(first.w2);
  }
  if (ROWS < 16u) {
    tile[pixel_place + COLUMN_STEP] = counted(first.p2, first.tap);
  }
  if (ROWS < 8u) {
    tile[pixel_place + 2u * COLUMN_STEP] = counted(first.p3, first.tap);
    tile[pixel_place + 3u * COLUMN_STEP] = counted(first.p4, first.tap);
  }

  // What it computes.
  let block = block_of(local);
  let upper_bias = bias[group * pitch + min(first_four + block.row, pitch - 1u)];
  let lower_bias = bias[group * pitch + min(first_four + ROWS + block.row, pitch - 1u)];
  var sums = sums_from(upper_bias, lower_bias);
  let rounds = (rows_of() + 7u) / 8u;
  for (var round = 0u; round < MOST_ROUNDS; round++) {
    if (round >= rounds) {
      break;
    }
    workgroupBarrier();
    row = behind(row, eight);
    let brought = bring(8u * (round + 1u) + weight_row, group, weight_column, pitch, row, gathered);
    let side = min(round & 1u, 1u);
    multiply(&sums, side, block);
    // Whoever has passed the barrier has done with the other side, read in the round before.
    let other = (1u - side) * SIDE;
    tile[weight_place + other] = unpack(brought.w);
    tile[pixel_place + other] = counted(brought.p, brought.tap);
    if (COLS < 16u) {
      tile[weight_place + NEXT_PLACE + other] = unpack(brought.w2);
    }
    if (ROWS < 16u) {
      tile[pixel_place + COLUMN_STEP + other] = counted(brought.p2, brought.tap);
    }
    if (ROWS < 8u) {
      tile[pixel_place + 2u * COLUMN_STEP + other] = counted(brought.p3, brought.tap);
      tile[pixel_place + 3u * COLUMN_STEP + other] = counted(brought.p4, brought.tap);
    }
  }

  let upper = 4u * (first_four + block.row);
  let lower = 4u * (first_four + ROWS + block.row);
  var output = first_output + 4u * block.column;
  var windows = windows_from(output);
  store_four(sums[0], output, windows, group, upper);
  store_four(sums[2], output, windows, group, upper + 1u);
  store_four(sums[4], output, windows, group, upper + 2u);
  store_four(sums[6], output, windows, group, upper + 3u);
  store_four(sums[8], output, windows, group, lower);
  store_four(sums[10], output, windows, group, lower + 1u);
  store_four(sums[12], output, windows, group, lower + 2u);
  store_four(sums[14], output, windows, group, lower + 3u);
  output += 4u * COLS;
  windows = windows_from(output);
  store_four(sums[1], output, windows, group, upper);
  store_four(sums[3], output, windows, group, upper + 1u);
  store_four(sums[5], output, windows, group, upper + 2u);
  store_four(sums[7], output, windows, group, upper + 3u);
  store_four(sums[9], output, windows, group, lower);
  store_four(sums[11], output, windows, group, lower + 1u);
  store_four(sums[13], output, windows, group, lower + 2u);
  store_four(sums[15], output, windows, group, lower + 3u);
}
