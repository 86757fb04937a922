// Convolution, bias, activation and optional 2x2 max pooling as a matrix product in tiles of workgroup
// memory (implicit GEMM: the matrix of patches is gathered tile by tile and never stored). For GPUs.
//
//   sum[n, o, y, x]    = bias[o] + sum_(c, ky, kx) weights[c, ky, kx, o] input[n, c, y + ky - p, x + kx - p]
//   output[n, o, y, x] = activation(sum)      p = (KERNEL - 1) / 2; with ADDED, activation(sum + added[n, o, y, x])
//   with POOL: output[n, o, y, x] = the largest of the four at (2 y, 2 x) .. (2 y + 1, 2 x + 1)
//
// Shapes: input [batch, IN_CHANNELS, HEIGHT, WIDTH], output [batch, OUT_CHANNELS, HEIGHT, WIDTH] or,
// with POOL, [batch, OUT_CHANNELS, floor(HEIGHT / 2), floor(WIDTH / 2)]; stride 1; outside the image is
// zero; `added` is the channels from ADDED_FIRST on of [batch, ADDED_OF, HEIGHT, WIDTH]. Weights [IN_CHANNELS KERNEL KERNEL, stride] Four, see packConv: 4 stride is OUT_CHANNELS
// rounded up to 8.
//
// GEMM: M = OUT_CHANNELS, N = the pixels of all images in quads of 2x2, K = IN_CHANNELS KERNEL^2; 2 M N K FLOPs.
// Tiles of 8 ROWS channels x 2 COLS quads: product_tile.wgsl. An invocation has 8 channels of two quads, so pooling needs
// no neighbour. Quads are counted over the whole batch, so that small images fill tiles together. Weights are un-packed on
// the way into workgroup memory.
// The barrier stands in a loop whose bounds are overrides, and no invocation leaves early.
// Preconditions: KERNEL 1 or 3; ROWS x COLS 16 x 16, 16 x 8, 8 x 16, 8 x 8 or 4 x 16; fewer than 2^31 elements a tensor.

import package::convolution::quads::{
  IN_CHANNELS,
  KERNEL,
  OUT_CHANNELS,
  bias,
  store_quad,
  weight_at,
};
import package::shared::size::{HEIGHT, WIDTH};
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

override ADDED: bool;
override ADDED_FIRST: u32;
override ADDED_OF: u32;

struct Params {
  batch: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(5) var<storage, read> added: array<f32>;

// Where a quad lies: its image and its upper left pixel.
struct Quad {
  n: u32,
  y: u32,
  x: u32,
}

fn quad_of(index: u32) -> Quad {
  let across = (WIDTH + 1u) / 2u;
  let down = (HEIGHT + 1u) / 2u;
  return Quad(index / (across * down), index / across % down * 2u, index % across * 2u);
}

// Unsigned: a position left of or above the image wraps to a huge one, so one test is enough.
fn pixel(plane: u32, row: u32, column: u32) -> f32 {
  if (row >= HEIGHT || column >= WIDTH) {
    return 0.0;
  }
  return input[(plane * HEIGHT + row) * WIDTH + column];
}

// Row k of the matrix of patches at one quad; zero beyond the last row or quad.
fn patch_at(k: u32, quad: Quad) -> vec4f {
  let channel = k / (KERNEL * KERNEL);
  if (channel >= IN_CHANNELS || quad.n >= params.batch) {
    return vec4f(0);
  }
  let plane = quad.n * IN_CHANNELS + channel;
  let padding = (KERNEL - 1u) / 2u;
  let row = quad.y + k / KERNEL % KERNEL - padding;
  let column = quad.x + k % KERNEL - padding;
  return vec4f(
    pixel(plane, row, column),
    pixel(plane, row, column + 1u),
    pixel(plane, row + 1u, column),
    pixel(plane, row + 1u, column + 1u),
  );
}

fn store(sum: vec4f, o: u32, quad: Quad) {
  if (quad.n < params.batch) {
    var total = sum;
    if (ADDED) {
      // What does not exist is read from elsewhere, and not stored.
      let at = ((quad.n * ADDED_OF + ADDED_FIRST + o) * HEIGHT + quad.y) * WIDTH + quad.x;
      total += vec4f(added[at], added[at + 1u], added[at + WIDTH], added[at + WIDTH + 1u]);
    }
    store_quad(total, quad.n, o, quad.y, quad.x);
  }
}

@compute @workgroup_size(COLS, ROWS)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let depth = IN_CHANNELS * KERNEL * KERNEL;
  let stride = (OUT_CHANNELS + 7u) / 8u * 2u;
  let first_four = wg.y * 2u * ROWS;
  let first_quad = (wg.x + wg.z * groups.x) * 2u * COLS;

  // What this invocation brings: a vec4f of one row of each tile, and of more rows where there are fewer invocations.
  // Channels beyond the last are computed from the last ones and not stored.
  let weight_row = local / (2u * ROWS);
  let weight_four = local % (2u * ROWS);
  let weight_column = min(first_four + weight_four, stride - 1u);
  let pixel_row = local / (2u * COLS);
  let pixel_four = local % (2u * COLS);
  let weight_place = row_place(weight_row, weight_four);
  let pixel_place = column_place(pixel_row, pixel_four);
  let gathered = quad_of(first_quad + pixel_four);
  var next_w = weight_at(weight_row, weight_column, stride);
  var next_w2 = vec4f(0);
  if (COLS < 16u) {
    next_w2 = weight_at(weight_row + COLS / 2u, weight_column, stride);
  }
  var next_p = patch_at(pixel_row, gathered);
  var next_p2 = vec4f(0);
  var next_p3 = vec4f(0);
  var next_p4 = vec4f(0);
  if (ROWS < 16u) {
    next_p2 = patch_at(pixel_row + ROWS / 2u, gathered);
  }
  if (ROWS < 8u) {
    next_p3 = patch_at(pixel_row + ROWS, gathered);
    next_p4 = patch_at(pixel_row + ROWS * 3u / 2u, gathered);
  }

  // What it computes.
  let block = block_of(local);
  let upper_bias = bias[min(first_four + block.row, stride - 1u)];
  let lower_bias = bias[min(first_four + ROWS + block.row, stride - 1u)];
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
      next_w = weight_at(next + weight_row, weight_column, stride);
      if (COLS < 16u) {
        next_w2 = weight_at(next + weight_row + COLS / 2u, weight_column, stride);
      }
      next_p = patch_at(next + pixel_row, gathered);
      if (ROWS < 16u) {
        next_p2 = patch_at(next + pixel_row + ROWS / 2u, gathered);
      }
      if (ROWS < 8u) {
        next_p3 = patch_at(next + pixel_row + ROWS, gathered);
        next_p4 = patch_at(next + pixel_row + ROWS * 3u / 2u, gathered);
      }
    }
    multiply(&sums, side, block);
    side = 1u - side;
  }

  let left = quad_of(first_quad + block.column);
  let right = quad_of(first_quad + COLS + block.column);
  let upper = 4u * (first_four + block.row);
  let lower = 4u * (first_four + ROWS + block.row);
  store(sums[0], upper, left);
  store(sums[2], upper + 1u, left);
  store(sums[4], upper + 2u, left);
  store(sums[6], upper + 3u, left);
  store(sums[8], lower, left);
  store(sums[10], lower + 1u, left);
  store(sums[12], lower + 2u, left);
  store(sums[14], lower + 3u, left);
  store(sums[1], upper, right);
  store(sums[3], upper + 1u, right);
  store(sums[5], upper + 2u, right);
  store(sums[7], upper + 3u, right);
  store(sums[9], lower, right);
  store(sums[11], lower + 1u, right);
  store(sums[13], lower + 2u, right);
  store(sums[15], lower + 3u, right);
}
