// A tile of a matrix product in workgroup memory, for GPUs, of any kernel that gathers two matrices with K outermost.
//
// ROWS x COLS invocations compute 8 ROWS rows x 8 COLS columns, 8 of K at a time; one invocation has 8 x 8 of them, two
// blocks of 4 each way, half a tile apart, so that neighbours read neighbouring vec4f of workgroup memory. Each 32
// invocations stand 4 x 8: together they read 4 and 8 vec4f twice for 32 x 64 multiply-adds.
//
// In a step of K an invocation reads 4 vec4f of workgroup memory for 64 multiply-adds. A tile of 128 x 128 takes 256
// values from memory for 16384 multiply-adds, 0.0625 bytes each in f32, 64 x 64 twice that.
// Registers: 64 sums, 16 operands, and what the kernel has on its way.
//
// While a tile is multiplied the next one is loaded into registers, and it is written into the other of two buffers: one
// barrier for 8 of K. The steps of K are written out, and K and the half are outermost in memory: so what is read
// lies at one number for each matrix, and all else is the constant that a read instruction has room for. Where what
// an invocation brings goes is worked out before the loop. Of the loop's vector instructions 19 in 20 multiply
// (docs/gpu-kernels.md).
// Workgroup memory: 16 KiB at 16 x 16, half of it for each matrix; 8 KiB at 8 x 8.
// Preconditions: ROWS x COLS 16 x 16, 16 x 8, 8 x 16, 8 x 8 or 4 x 16.

import constants::{COLS, ROWS};

// Rows [8 of K][half][two buffers of ROWS], four rows of the product each, and behind them columns likewise.
var<workgroup> tile: array<vec4f, 32 * (ROWS + COLS)>;

// Row i of the block, of its left and its right half: 2 i and 2 i + 1.
alias Sums = array<vec4f, 16>;

// Where an invocation stands in its tile: which four rows, and which four columns, of either half.
struct Block {
  row: u32,
  column: u32,
}

fn block_of(local: u32) -> Block {
  let lane = local % 32u;
  let warp = local / 32u;
  return Block(lane / 8u + 4u * (warp / (COLS / 8u)), lane % 8u + 8u * (warp % (COLS / 8u)));
}

// Where the four rows of the product that are `four` of the tile's 2 ROWS stand at step k, in the first buffer.
fn row_place(k: u32, four: u32) -> u32 {
  return k * (4u * ROWS) + four / ROWS * (2u * ROWS) + four % ROWS;
}

fn column_place(k: u32, four: u32) -> u32 {
  return 32u * ROWS + k * (4u * COLS) + four / COLS * (2u * COLS) + four % COLS;
}

// From a place to that of the next of the rows and columns that an invocation brings: as many steps as there are
// invocations for each.
const NEXT_PLACE = 2u * ROWS * COLS;

fn put_rows(side: u32, place: u32, value: vec4f) {
  put(place + side * ROWS, value);
}

fn put_columns(side: u32, place: u32, value: vec4f) {
  put(place + side * COLS, value);
}

fn put(at: u32, value: vec4f) {
  tile[at] = value;
}

// Adds the product of the tiles of one buffer. Remainders show compilers that nothing lies outside.
fn multiply(sums: ptr<function, Sums>, side: u32, block: Block) {
  let row = side % 2u * ROWS + block.row % ROWS;
  let column = 32u * ROWS + side % 2u * COLS + block.column % COLS;
  step(sums, tile[row], tile[row + 2u * ROWS], tile[column], tile[column + 2u * COLS]);
  step(sums, tile[row + 4u * ROWS], tile[row + 6u * ROWS], tile[column + 4u * COLS], tile[column + 6u * COLS]);
  step(sums, tile[row + 8u * ROWS], tile[row + 10u * ROWS], tile[column + 8u * COLS], tile[column + 10u * COLS]);
  step(sums, tile[row + 12u * ROWS], tile[row + 14u * ROWS], tile[column + 12u * COLS], tile[column + 14u * COLS]);
  step(sums, tile[row + 16u * ROWS], tile[row + 18u * ROWS], tile[column + 16u * COLS], tile[column + 18u * COLS]);
  step(sums, tile[row + 20u * ROWS], tile[row + 22u * ROWS], tile[column + 20u * COLS], tile[column + 22u * COLS]);
  step(sums, tile[row + 24u * ROWS], tile[row + 26u * ROWS], tile[column + 24u * COLS], tile[column + 26u * COLS]);
  step(sums, tile[row + 28u * ROWS], tile[row + 30u * ROWS], tile[column + 28u * COLS], tile[column + 30u * COLS]);
}

fn step(sums: ptr<function, Sums>, upper: vec4f, lower: vec4f, left: vec4f, right: vec4f) {
  (*sums)[0] += upper.x * left;
  (*sums)[1] += upper.x * right;
  (*sums)[2] += upper.y * left;
  (*sums)[3] += upper.y * right;
  (*sums)[4] += upper.z * left;
  (*sums)[5] += upper.z * right;
  (*sums)[6] += upper.w * left;
  (*sums)[7] += upper.w * right;
  (*sums)[8] += lower.x * left;
  (*sums)[9] += lower.x * right;
  (*sums)[10] += lower.y * left;
  (*sums)[11] += lower.y * right;
  (*sums)[12] += lower.z * left;
  (*sums)[13] += lower.z * right;
  (*sums)[14] += lower.w * left;
  (*sums)[15] += lower.w * right;
}

// What the sums begin with: one number for each row.
fn sums_from(upper: vec4f, lower: vec4f) -> Sums {
  return Sums(
    vec4f(upper.x),
    vec4f(upper.x),
    vec4f(upper.y),
    vec4f(upper.y),
    vec4f(upper.z),
    vec4f(upper.z),
    vec4f(upper.w),
    vec4f(upper.w),
    vec4f(lower.x),
    vec4f(lower.x),
    vec4f(lower.y),
    vec4f(lower.y),
    vec4f(lower.z),
    vec4f(lower.z),
    vec4f(lower.w),
    vec4f(lower.w),
  );
}
