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
// While a tile is multiplied the next one is loaded into registers, and behind the product it is written into the other of two
// buffers: one barrier for 8 of K, and from one round to the next nothing is carried but the sums. The steps of K are
// written out, and K is outermost in memory: so what is read lies at one number for each matrix, and all else is the
// constant that a read instruction has room for. Of the loop's vector instructions 97 in 100 multiply (docs/gpu-kernels.md).
// Kernels write the tile themselves, at a place that their own text shows to be inside: Dawn bounds all others anew.
// Workgroup memory: 16 KiB at 16 x 16, half of it for each matrix; 8 KiB at 8 x 8.
// Preconditions: ROWS x COLS 16 x 16, 16 x 8, 8 x 16, 8 x 8 or 4 x 16.

import constants::{COLS, ROWS};

// Two buffers of rows [8 of K][2 ROWS], four rows of the product each, and behind them columns likewise.
var<workgroup> tile: array<vec4f, 32 * (ROWS + COLS)>;

// Where the columns begin, and how far it is from one of K to the next, and from one buffer to the other.
const COLUMNS = 16u * ROWS;
const ROW_STEP = 2u * ROWS;
const COLUMN_STEP = 2u * COLS;
const SIDE = 16u * (ROWS + COLS);

// From a place to that of the next of the rows, or columns, that an invocation brings: as many steps as there are
// invocations for each.
const NEXT_PLACE = ROWS * COLS;

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

// Adds the product of the tiles of one buffer. Least numbers show compilers that nothing lies outside.
fn multiply(sums: ptr<function, Sums>, side: u32, block: Block) {
  let start = min(side, 1u) * SIDE;
  let row = start + min(block.row, ROWS - 1u);
  let column = start + COLUMNS + min(block.column, COLS - 1u);
  step(sums, tile[row], tile[row + ROWS], tile[column], tile[column + COLS]);
  step(sums, tile[row + ROW_STEP], tile[row + ROW_STEP + ROWS], tile[column + COLUMN_STEP], tile[column + COLUMN_STEP + COLS]);
  step(sums, tile[row + 2u * ROW_STEP], tile[row + 2u * ROW_STEP + ROWS], tile[column + 2u * COLUMN_STEP], tile[column + 2u * COLUMN_STEP + COLS]);
  step(sums, tile[row + 3u * ROW_STEP], tile[row + 3u * ROW_STEP + ROWS], tile[column + 3u * COLUMN_STEP], tile[column + 3u * COLUMN_STEP + COLS]);
  step(sums, tile[row + 4u * ROW_STEP], tile[row + 4u * ROW_STEP + ROWS], tile[column + 4u * COLUMN_STEP], tile[column + 4u * COLUMN_STEP + COLS]);
  step(sums, tile[row + 5u * ROW_STEP], tile[row + 5u * ROW_STEP + ROWS], tile[column + 5u * COLUMN_STEP], tile[column + 5u * COLUMN_STEP + COLS]);
  step(sums, tile[row + 6u * ROW_STEP], tile[row + 6u * ROW_STEP + ROWS], tile[column + 6u * COLUMN_STEP], tile[column + 6u * COLUMN_STEP + COLS]);
  step(sums, tile[row + 7u * ROW_STEP], tile[row + 7u * ROW_STEP + ROWS], tile[column + 7u * COLUMN_STEP], tile[column + 7u * COLUMN_STEP + COLS]);
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
