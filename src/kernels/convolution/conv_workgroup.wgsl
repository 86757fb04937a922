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

// Rows of the matrix of patches.
fn depth() -> u32 {
  return IN_CHANNELS * KERNEL * KERNEL;
}

// Where the patches of a quad begin: its upper left pixel in the plane of the first channel, and which of its 4 x 4 pixels exist,
// four bits a row. What does not exist is read from elsewhere, and zero by the time it is in workgroup memory: to look at
// what was loaded is to wait for it.
struct Corner {
  at: u32,
  inside: u32,
}

// Unsigned: a position left of or above the image wraps to a huge one, so one test is enough.
fn corner_of(quad: Quad) -> Corner {
  let y = quad.y - (KERNEL - 1u) / 2u;
  let x = quad.x - (KERNEL - 1u) / 2u;
  let rows = select(vec4u(0), vec4u(0x1, 0x10, 0x100, 0x1000), y + vec4u(0, 1, 2, 3) < vec4u(HEIGHT));
  let columns = select(vec4u(0), vec4u(0x1, 0x2, 0x4, 0x8), x + vec4u(0, 1, 2, 3) < vec4u(WIDTH));
  let inside = (rows.x + rows.y + rows.z + rows.w) * (columns.x + columns.y + columns.z + columns.w);
  let at = (quad.n * (IN_CHANNELS * HEIGHT) + y) * WIDTH + x;
  return Corner(at, select(0u, inside, quad.n < params.batch));
}

// Row k of the matrix of patches at one quad, as it is in memory, and the bits of its pixels.
struct Patch {
  pixels: vec4f,
  inside: u32,
}

fn patch_at(k: u32, corner: Corner) -> Patch {
  let channel = k / (KERNEL * KERNEL);
  let row = k / KERNEL % KERNEL;
  let column = k % KERNEL;
  let at = corner.at + (channel * HEIGHT + row) * WIDTH + column;
  let inside = corner.inside >> (4u * row + column);
  return Patch(
    vec4f(input[at], input[at + 1u], input[at + WIDTH], input[at + WIDTH + 1u]),
    select(0u, inside, depth() % 8u == 0u || k < depth()),
  );
}

// Bits 0, 1, 4 and 5 say what exists; as a signed field of one bit, all of a number or nothing.
fn existing(loaded: Patch) -> vec4f {
  let bits = i32(loaded.inside);
  let mask = vec4i(extractBits(bits, 0, 1), extractBits(bits, 1, 1), extractBits(bits, 4, 1), extractBits(bits, 5, 1));
  return bitcast<vec4f>(bitcast<vec4i>(loaded.pixels) & mask);
}

// What an invocation brings of a tile: a vec4f of one row of each matrix, and of more rows where there are fewer invocations.
struct Brought {
  w: Four,
  w2: Four,
  p: Patch,
  p2: Patch,
  p3: Patch,
  p4: Patch,
}

fn bring(start: u32, weight_row: u32, pixel_row: u32, weight_column: u32, stride: u32, corner: Corner) -> Brought {
  var brought: Brought;
  brought.w = weight_at(start + weight_row, weight_column, stride);
  if (COLS < 16u) {
    brought.w2 = weight_at(start + weight_row + COLS / 2u, weight_column, stride);
  }
  brought.p = patch_at(start + pixel_row, corner);
  if (ROWS < 16u) {
    brought.p2 = patch_at(start + pixel_row + ROWS / 2u, corner);
  }
  if (ROWS < 8u) {
    brought.p3 = patch_at(start + pixel_row + ROWS, corner);
    brought.p4 = patch_at(start + pixel_row + ROWS * 3u / 2u, corner);
  }
  return brought;
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
  let stride = (OUT_CHANNELS + 7u) / 8u * 2u;
  let first_four = wg.y * 2u * ROWS;
  let first_quad = (wg.x + wg.z * groups.x) * 2u * COLS;

  // What this invocation brings. Channels beyond the last are computed from the last ones and not stored.
  let weight_row = local / (2u * ROWS);
  let weight_four = local % (2u * ROWS);
  let weight_column = min(first_four + weight_four, stride - 1u);
  let pixel_row = local / (2u * COLS);
  let pixel_four = local % (2u * COLS);
  let weight_place = weight_row * ROW_STEP + weight_four;
  let pixel_place = COLUMNS + pixel_row * COLUMN_STEP + pixel_four;
  let corner = corner_of(quad_of(first_quad + pixel_four));
  let first = bring(0u, weight_row, pixel_row, weight_column, stride, corner);
  tile[weight_place] = unpack(first.w);
  tile[pixel_place] = existing(first.p);
  if (COLS < 16u) {
    tile[weight_place + NEXT_PLACE] = unpack(first.w2);
  }
  if (ROWS < 16u) {
    tile[pixel_place + NEXT_PLACE] = existing(first.p2);
  }
  if (ROWS < 8u) {
    tile[pixel_place + 2u * NEXT_PLACE] = existing(first.p3);
    tile[pixel_place + 3u * NEXT_PLACE] = existing(first.p4);
  }

  // What it computes.
  let block = block_of(local);
  let upper_bias = bias[min(first_four + block.row, stride - 1u)];
  let lower_bias = bias[min(first_four + ROWS + block.row, stride - 1u)];
  var sums = sums_from(upper_bias, lower_bias);
  let rounds = (depth() + 7u) / 8u;
  let last = rounds - 1u;
  for (var round = 0u; round < MOST_ROUNDS; round++) {
    if (round >= rounds) {
      break;
    }
    workgroupBarrier();
    let brought = bring(8u * min(round + 1u, last), weight_row, pixel_row, weight_column, stride, corner);
    let side = min(round & 1u, 1u);
    multiply(&sums, side, block);
    // Whoever has passed the barrier has done with the other side, read in the round before.
    let other = (1u - side) * SIDE;
    tile[weight_place + other] = unpack(brought.w);
    tile[pixel_place + other] = existing(brought.p);
    if (COLS < 16u) {
      tile[weight_place + NEXT_PLACE + other] = unpack(brought.w2);
    }
    if (ROWS < 16u) {
      tile[pixel_place + NEXT_PLACE + other] = existing(brought.p2);
    }
    if (ROWS < 8u) {
      tile[pixel_place + 2u * NEXT_PLACE + other] = existing(brought.p3);
      tile[pixel_place + 3u * NEXT_PLACE + other] = existing(brought.p4);
    }
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
