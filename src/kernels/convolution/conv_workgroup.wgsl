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
// ROWS x COLS invocations compute 8 ROWS channels x 2 COLS quads, 8 of K at a time; one invocation has 8 channels of
// two quads, in two blocks of 4 and two of one quad, half a tile apart, so that neighbours read neighbouring vec4f of
// workgroup memory, and pooling needs no neighbour. Each 32 invocations stand 4 x 8. Quads are counted over the whole
// batch, so that small images fill tiles together.
//
// In a step of K an invocation reads 4 vec4f of workgroup memory for 64 multiply-adds. A tile of 128 channels x 32
// quads reads 256 values for 16384 multiply-adds, 0.0625 bytes each; 64 x 16 twice that. Weights are un-packed on
// the way into workgroup memory.
// Registers: 64 sums, 16 operands, 8 (or up to 24) values that are on their way.
// While a tile is multiplied the next one is loaded into registers, and it is written into the other of two
// buffers: one barrier for 8 of K. It stands in a loop whose bounds are overrides, and no invocation leaves early.
// Workgroup memory: 16 KiB at 16 x 16, half for weights, half for pixels.
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

// Two buffers of [8 rows of K][2 ROWS], four channels each, and of [8 rows of K][2 COLS], one quad each.
var<workgroup> weight_tile: array<vec4f, 32 * ROWS>;
var<workgroup> pixel_tile: array<vec4f, 32 * COLS>;

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
  let weight_column = min(first_four + local % (2u * ROWS), stride - 1u);
  let pixel_row = local / (2u * COLS);
  let gathered = quad_of(first_quad + local % (2u * COLS));
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
  let lane = local % 32u;
  let warp = local / 32u;
  let column = lane % 8u + 8u * (warp % (COLS / 8u));
  let row = lane / 8u + 4u * (warp / (COLS / 8u));
  let upper_bias = bias[min(first_four + row, stride - 1u)];
  let lower_bias = bias[min(first_four + ROWS + row, stride - 1u)];
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

  let left = quad_of(first_quad + column);
  let right = quad_of(first_quad + COLS + column);
  let upper = 4u * (first_four + row);
  let lower = 4u * (first_four + ROWS + row);
  store(s00, upper, left);
  store(s10, upper + 1u, left);
  store(s20, upper + 2u, left);
  store(s30, upper + 3u, left);
  store(s40, lower, left);
  store(s50, lower + 1u, left);
  store(s60, lower + 2u, left);
  store(s70, lower + 3u, left);
  store(s01, upper, right);
  store(s11, upper + 1u, right);
  store(s21, upper + 2u, right);
  store(s31, upper + 3u, right);
  store(s41, lower, right);
  store(s51, lower + 1u, right);
  store(s61, lower + 2u, right);
  store(s71, lower + 3u, right);
}
