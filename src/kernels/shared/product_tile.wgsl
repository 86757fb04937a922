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
// lies at one number for each matrix, and all else is the constant that a read instruction has room for. Of the loop's
// instructions nine in ten multiply (docs/gpu-kernels.md).
// Workgroup memory: 16 KiB at 16 x 16, half of it for each matrix; 8 KiB at 8 x 8.
// Preconditions: ROWS x COLS 16 x 16, 16 x 8, 8 x 16, 8 x 8 or 4 x 16.

import constants::{COLS, ROWS};

// [8 of K][half][two buffers of ROWS, four rows of the product each], and of COLS, four columns each.
var<workgroup> row_tile: array<array<array<vec4f, 2 * ROWS>, 2>, 8>;
var<workgroup> column_tile: array<array<array<vec4f, 2 * COLS>, 2>, 8>;

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

// The four rows of the product that are `four` of the tile's 2 ROWS, at step k.
fn put_rows(side: u32, k: u32, four: u32, value: vec4f) {
  row_tile[k][four / ROWS][side * ROWS + four % ROWS] = value;
}

fn put_columns(side: u32, k: u32, four: u32, value: vec4f) {
  column_tile[k][four / COLS][side * COLS + four % COLS] = value;
}

// Adds the product of the tiles of one buffer.
fn multiply(sums: ptr<function, Sums>, side: u32, block: Block) {
  let row = side * ROWS + block.row;
  let column = side * COLS + block.column;
  step(sums, row_tile[0][0][row], row_tile[0][1][row], column_tile[0][0][column], column_tile[0][1][column]);
  step(sums, row_tile[1][0][row], row_tile[1][1][row], column_tile[1][0][column], column_tile[1][1][column]);
  step(sums, row_tile[2][0][row], row_tile[2][1][row], column_tile[2][0][column], column_tile[2][1][column]);
  step(sums, row_tile[3][0][row], row_tile[3][1][row], column_tile[3][0][column], column_tile[3][1][column]);
  step(sums, row_tile[4][0][row], row_tile[4][1][row], column_tile[4][0][column], column_tile[4][1][column]);
  step(sums, row_tile[5][0][row], row_tile[5][1][row], column_tile[5][0][column], column_tile[5][1][column]);
  step(sums, row_tile[6][0][row], row_tile[6][1][row], column_tile[6][0][column], column_tile[6][1][column]);
  step(sums, row_tile[7][0][row], row_tile[7][1][row], column_tile[7][0][column], column_tile[7][1][column]);
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
