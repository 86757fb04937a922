// Convolution by Winograd F(4x4, 3x3) in one kernel, for GPUs whose workgroups may have 288 invocations: neither the
// transformed input nor the products are ever in memory. 36 products where the definition has 144 (Lavin and Gray 2016,
// section 4.1), with bias, activation and optional 2x2 max pooling, over all places or those listed.
//
//   Y = A^T [(G g G^T) * (B^T d B)] A + bias      d: 6x6 pixels, Y: 4x4 outputs; * by element, summed over channels
//   output = activation(Y);  with ADDED activation(Y + added);  with POOL the largest of each 2x2
//   The matrices are those of transforms.wgsl.
//
// Shapes: input [batch, IN_CHANNELS, HEIGHT, WIDTH]; filters U as winograd_filters_4x4_fused.wgsl leaves them;
// output [batch, OUT_CHANNELS, HEIGHT, WIDTH], or half of both with POOL (an odd last row or column is dropped), or the
// channels from OUT_FIRST on of [batch, OUT_OF, ...]; and so `added` [batch, ADDED_OF, HEIGHT, WIDTH].
//
// A place is 4x4 outputs, one tile. 288 invocations compute 16 places x 32 channels, 36 products of 32 x 16: an
// invocation has 8 x 8 sums of one of the products, in 2 x 2 blocks of 4 x 4, half a tile apart. A step is three channels:
//   - 864 vec4 of U are copied, three an invocation: they lie in memory as they lie in the workgroup's.
//   - V by rows, then by columns. An invocation reads six pixels of a row of one place and channel, and writes B^T of them
//     to S; in the round after, it reads six numbers of a column of S, and writes B^T of them to V: 2 x 12 operations.
//     What is read of S waits for the products of the round, so that between two barriers there are but writes.
//   - 12 vec4f of workgroup memory read for 192 multiply-adds: one byte each.
// U of the next step, and pixels of the one behind it, are on their way meanwhile. A row above or below the image is 0 in S
// from the beginning, and is never written; nothing is read for it that exact skipping has not filled in, its own next one
// instead. What is beside the image is read like the rest, and dropped.
// At the end each channel's products meet in workgroup memory, 8 channels at a time: 128 invocations transform those of one
// place and channel each, and store four rows of four.
//
// In memory a step reads 13.5 KiB of U and 6.8 KiB of pixels for 55296 multiply-adds, 0.38 bytes each in f32, 0.25 with U in
// f16. Workgroups go through 8 blocks of places, then on to the next 32 channels of the same: what runs at the same time
// shares pixels and U. docs/gpu-kernels.md counts the rest.
// Workgroup memory: 27.9 kB. Registers: 64 sums, 16 operands, 24 on their way, addresses.
// Preconditions: kernel 3; fewer than 2^31 elements a tensor.

import package::shared::activation::activated4;
import package::shared::output_fours::store_fours;
import package::shared::places::place_of;
import package::shared::size::{HEIGHT, WIDTH};
import package::winograd::stored::{Stored4, U_SCALE};
import package::winograd::transforms::{Pixels6, transform_pixels, transform_product};

override IN_CHANNELS: u32;
// A third of them, rounded up.
override STEPS: u32;
override OUT_CHANNELS: u32;
override OUT_FIRST: u32;
override OUT_OF: u32;
override ACTIVATION: f32;
override ADDED: bool;
override ADDED_FIRST: u32;
override ADDED_OF: u32;

struct Params {
  places: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> pixels: array<f32>;
@group(0) @binding(2) var<storage, read> filters: array<Stored4>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read> added: array<f32>;

// U [3 channels][36 products][8 of four channels] and V [3][36][4 of four places]; at the end M [36][8 channels][4].
var<workgroup> tile: array<vec4f, 1296>;

// S [3 channels][6 rows][4: place % 4][6 columns][4: place / 4], and four that keep rows apart: what 32 neighbours write
// lies in 32 banks, and so does what 24 read.
var<workgroup> rows: array<f32, 1800>;

// Blocks of places that workgroups go through before the next 32 channels.
const TOGETHER = 8u;

// How far it is to a channel of a later step. One beyond the last is the last, and its filters are 0.
fn way_to(step: u32, channel: u32) -> u32 {
  var channels = 3u * step;
  if (IN_CHANNELS % 3u != 0u) {
    channels = min(channels + channel, IN_CHANNELS - 1u) - channel;
  }
  return channels * HEIGHT * WIDTH;
}

// Six pixels of a row.
struct Row {
  inner: vec4f,
  outer: vec2f,
}

// The row whose column x - 1 is pixels[at].
fn row_at(at: u32) -> Row {
  return Row(
    vec4f(pixels[at + 1u], pixels[at + 2u], pixels[at + 3u], pixels[at + 4u]),
    vec2f(pixels[at], pixels[at + 5u]),
  );
}

// B^T of a row whose first inner column is x. What stands beyond the ends of a tensor's row need not be finite.
fn transform_row(row: Row, x: u32) -> Pixels6 {
  var inner = row.inner;
  if (WIDTH % 4u != 0u) {
    inner = select(vec4f(0), inner, vec4u(x) + vec4u(0u, 1u, 2u, 3u) < vec4u(WIDTH));
  }
  let outer = select(vec2f(0), row.outer, vec2<bool>(x > 0u, x + 4u < WIDTH));
  return transform_pixels(outer.x, inner.x, inner.y, inner.z, inner.w, outer.y);
}

// Where an invocation's row begins in S, and where its column does. Remainders show compilers that nothing lies outside.
fn row_in_s(local: u32) -> u32 {
  let place = local % 16u;
  return local / 96u % 3u * 600u + local / 16u % 6u * 100u + place % 4u * 24u + place / 4u;
}

fn write_s(local: u32, row: Pixels6) {
  let at = row_in_s(local);
  rows[at] = row.head.x;
  rows[at + 4u] = row.head.y;
  rows[at + 8u] = row.head.z;
  rows[at + 12u] = row.head.w;
  rows[at + 16u] = row.tail.x;
  rows[at + 20u] = row.tail.y;
}

// B^T of a column of S: [4: place % 4][3 channels][6 columns][4: place / 4] of them.
fn column_of_s(local: u32) -> Pixels6 {
  let at = local / 24u % 3u * 600u + local / 72u % 4u * 24u + local % 24u;
  return transform_pixels(
    rows[at],
    rows[at + 100u],
    rows[at + 200u],
    rows[at + 300u],
    rows[at + 400u],
    rows[at + 500u],
  );
}

fn write_v(local: u32, column: Pixels6) {
  let at = 864u + local / 24u % 3u * 144u + local % 24u;
  let part = local / 72u;
  if (part == 0u) {
    tile[at].x = column.head.x;
    tile[at + 24u].x = column.head.y;
    tile[at + 48u].x = column.head.z;
    tile[at + 72u].x = column.head.w;
    tile[at + 96u].x = column.tail.x;
    tile[at + 120u].x = column.tail.y;
  } else if (part == 1u) {
    tile[at].y = column.head.x;
    tile[at + 24u].y = column.head.y;
    tile[at + 48u].y = column.head.z;
    tile[at + 72u].y = column.head.w;
    tile[at + 96u].y = column.tail.x;
    tile[at + 120u].y = column.tail.y;
  } else if (part == 2u) {
    tile[at].z = column.head.x;
    tile[at + 24u].z = column.head.y;
    tile[at + 48u].z = column.head.z;
    tile[at + 72u].z = column.head.w;
    tile[at + 96u].z = column.tail.x;
    tile[at + 120u].z = column.tail.y;
  } else {
    tile[at].w = column.head.x;
    tile[at + 24u].w = column.head.y;
    tile[at + 48u].w = column.head.z;
    tile[at + 72u].w = column.head.w;
    tile[at + 96u].w = column.tail.x;
    tile[at + 120u].w = column.tail.y;
  }
}

fn write_u(local: u32, u0: Stored4, u1: Stored4, u2: Stored4) {
  let at = local % 288u;
  tile[at] = vec4f(u0);
  tile[at + 288u] = vec4f(u1);
  tile[at + 576u] = vec4f(u2);
}

fn outer_product(u: vec4f, v: vec4f) -> mat4x4f {
  return mat4x4f(u.x * v, u.y * v, u.z * v, u.w * v);
}

// The sums of two channels, 16 apart, into M.
fn put(at: u32, upper_left: vec4f, upper_right: vec4f, lower_left: vec4f, lower_right: vec4f) {
  tile[at] = upper_left;
  tile[at + 2u] = upper_right;
  tile[at + 16u] = lower_left;
  tile[at + 18u] = lower_right;
}

// A^T of a row of M.
fn row_of_m(at: u32, part: u32) -> vec4f {
  return transform_product(
    tile[at][part],
    tile[at + 32u][part],
    tile[at + 64u][part],
    tile[at + 96u][part],
    tile[at + 128u][part],
    tile[at + 160u][part],
  );
}

// Two rows of four outputs of channel o, from row y on.
fn store_two(n: u32, o: u32, y: u32, x: u32, first: vec4f, second: vec4f) {
  var upper = (1.0 / U_SCALE) * first + bias[o];
  var under = (1.0 / U_SCALE) * second + bias[o];
  if (ADDED) {
    // What does not exist is read from elsewhere, and not stored.
    let above = ((n * ADDED_OF + ADDED_FIRST + o) * HEIGHT + y) * WIDTH + x;
    let below = above + WIDTH;
    upper += vec4f(added[above], added[above + 1u], added[above + 2u], added[above + 3u]);
    under += vec4f(added[below], added[below + 1u], added[below + 2u], added[below + 3u]);
  }
  store_fours(
    n * OUT_OF + OUT_FIRST + o,
    y,
    x,
    activated4(upper, ACTIVATION),
    activated4(under, ACTIVATION),
  );
}

// The outputs of one place of channel o.
fn store(n: u32, o: u32, y: u32, x: u32, at: u32, part: u32) {
  let r0 = row_of_m(at, part);
  let r1 = row_of_m(at + 192u, part);
  let r2 = row_of_m(at + 384u, part);
  let r3 = row_of_m(at + 576u, part);
  let r4 = row_of_m(at + 768u, part);
  let r5 = row_of_m(at + 960u, part);
  // As transform_product, of four columns at once.
  let a = r1 + r2;
  let b = r1 - r2;
  let c = r3 + r4;
  let d = r3 - r4;
  store_two(n, o, y, x, r0 + a + c, 0.75 * b + 1.5 * d);
  if (y + 2u < HEIGHT) {
    store_two(n, o, y + 2u, x, 0.5625 * a + 2.25 * c, 0.421875 * b + 3.375 * d + r5);
  }
}

@compute @workgroup_size(288)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let blocks = (OUT_CHANNELS + 31u) / 32u;
  let index = wg.x + wg.y * groups.x;
  let rest = index % (TOGETHER * blocks);
  let first = (index / (TOGETHER * blocks) * TOGETHER + rest % TOGETHER) * 16u;
  let block = rest / TOGETHER;
  if (first >= params.places) {
    return;
  }
  // Where the place lies whose pixels it reads, and whose outputs it stores. Beyond the last it is the last, and not stored.
  let m = local % 16u;
  let place = place_of(min(first + m, params.places - 1u));
  let across = (WIDTH + 3u) / 4u;
  let down = (HEIGHT + 3u) / 4u;
  let n = place / (across * down);
  let y = place / across % down * 4u;
  let x = place % across * 4u;

  let channel = local / 96u;
  let row_y = i32(y + local / 16u % 6u) - 1;
  let exists = row_y >= 0 && row_y < i32(HEIGHT);
  let row = u32(clamp(row_y, 0, i32(HEIGHT) - 1));
  let from_row = ((n * IN_CHANNELS + channel) * HEIGHT + row) * WIDTH + x - 1u;
  let from_u = block * STEPS * 864u + local;

  // The first step, and S of the second. Behind the last step there is none, and it is brought once more.
  if (exists) {
    write_s(local, transform_row(row_at(from_row + way_to(0u, channel)), x));
  } else {
    write_s(local, Pixels6());
  }
  write_u(local, filters[from_u], filters[from_u + 288u], filters[from_u + 576u]);
  workgroupBarrier();
  let first_column = column_of_s(local);
  let second_row = row_at(from_row + way_to(min(1u, STEPS - 1u), channel));
  workgroupBarrier();
  write_v(local, first_column);
  if (exists) {
    write_s(local, transform_row(second_row, x));
  }
  workgroupBarrier();

  // What it sums up: one product, channels 4 r to 4 r + 3 and as many 16 on, places 4 c to 4 c + 3 and 8 on.
  let product = local / 8u;
  let r = local / 2u % 4u;
  let c = local % 2u;
  var upper_left = mat4x4f();
  var upper_right = mat4x4f();
  var lower_left = mat4x4f();
  var lower_right = mat4x4f();
  for (var step = 0u; step < STEPS; step++) {
    let next = from_u + min(step + 1u, STEPS - 1u) * 864u;
    let u0 = filters[next];
    let u1 = filters[next + 288u];
    let u2 = filters[next + 576u];
    let later_row = row_at(from_row + way_to(min(step + 2u, STEPS - 1u), channel));
    let next_column = column_of_s(local);
    for (var k = 0u; k < 3u; k++) {
      let at_u = k * 288u + product % 36u * 8u + r;
      let at_v = 864u + k * 144u + product % 36u * 4u + c;
      let upper = tile[at_u];
      let lower = tile[at_u + 4u];
      let left = tile[at_v];
      let right = tile[at_v + 2u];
      upper_left += outer_product(upper, left);
      upper_right += outer_product(upper, right);
      lower_left += outer_product(lower, left);
      lower_right += outer_product(lower, right);
    }
    workgroupBarrier();
    write_u(local, u0, u1, u2);
    write_v(local, next_column);
    if (exists) {
      write_s(local, transform_row(later_row, x));
    }
    workgroupBarrier();
  }

  // M by rows of the blocks: channels 4 r + row and 16 on.
  let to_m = product % 36u * 32u + r * 4u + c;
  let o = block * 32u + local / 64u * 16u + local / 16u % 4u * 4u;
  let from_m = local / 16u % 8u * 4u + m / 4u;
  let stores = local < 128u && first + m < params.places;
  put(to_m, upper_left[0], upper_right[0], lower_left[0], lower_right[0]);
  workgroupBarrier();
  if (stores && o < OUT_CHANNELS) {
    store(n, o, y, x, from_m, m % 4u);
  }
  workgroupBarrier();
  put(to_m, upper_left[1], upper_right[1], lower_left[1], lower_right[1]);
  workgroupBarrier();
  if (stores && o + 1u < OUT_CHANNELS) {
    store(n, o + 1u, y, x, from_m, m % 4u);
  }
  workgroupBarrier();
  put(to_m, upper_left[2], upper_right[2], lower_left[2], lower_right[2]);
  workgroupBarrier();
  if (stores && o + 2u < OUT_CHANNELS) {
    store(n, o + 2u, y, x, from_m, m % 4u);
  }
  workgroupBarrier();
  put(to_m, upper_left[3], upper_right[3], lower_left[3], lower_right[3]);
  workgroupBarrier();
  if (stores && o + 3u < OUT_CHANNELS) {
    store(n, o + 3u, y, x, from_m, m % 4u);
  }
}
