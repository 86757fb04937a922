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
//     What is read of S waits for the products of the round, so that between two barriers there are but writes. S and V
//     are numbers and not vec4f, since a place is an invocation's own: 16 neighbours write 16 numbers that lie in a row.
//   - 12 vec4f of workgroup memory read for 192 multiply-adds: one byte each.
// U of the next step, and pixels of the one behind it, are on their way meanwhile. A row above or below the image is 0 in S
// from the beginning, and written nowhere later: its own next one is read instead, so that nothing is read that exact
// skipping has not filled in. What is beside the image is read like the rest, and dropped.
// At the end each channel's products meet in workgroup memory, 8 channels at a time: 128 invocations transform those of one
// place and channel each, and store four rows of four.
//
// In memory a step reads 13.5 KiB of U and 6.8 KiB of pixels for 55296 multiply-adds, 0.38 bytes each in f32, 0.25 with U in
// f16. Workgroups go through 8 blocks of places, then on to the next 32 channels of the same: what runs at the same time
// shares pixels and U. docs/gpu-kernels.md counts the rest.
// Workgroup memory: 29248 bytes. Registers: 64 sums, 16 operands, 24 on their way, addresses: 128 on RDNA2.
// Preconditions: kernel 3; fewer than 2^31 elements a tensor.

import package::shared::places::place_of;
import package::shared::size::{HEIGHT, WIDTH};
import package::winograd::in_one_kernel::{Row, outer_product, row_at, store_two};
import package::winograd::stored::Stored4;
import package::winograd::transforms::{Pixels6, transform_pixels, transform_product};

override IN_CHANNELS: u32;
// A third of them, rounded up.
override STEPS: u32;
override OUT_CHANNELS: u32;

struct Params {
  places: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> filters: array<Stored4>;

// U [3 channels][36 products][8 of four channels]; at the end M [36][8 channels][4 of four places], products 0 to 26.
var<workgroup> tile: array<vec4f, 864>;

// V [3 channels][36][16 places]; at the end products 27 to 35 of M.
var<workgroup> v: array<f32, 1728>;

// S [3 channels][6 rows][6 columns][16 places], and 16 that keep rows apart, so that neighbours write to banks of their own.
// A last row is for what is nowhere to be read.
var<workgroup> s: array<f32, 2128>;

// Blocks of places that workgroups go through before the next 32 channels.
const TOGETHER = 8u;

// B^T of a row whose first inner column is x. What stands beyond the ends of a tensor's row need not be finite.
fn transform_row(row: Row, x: u32) -> Pixels6 {
  var inner = row.inner;
  if (WIDTH % 4u != 0u) {
    inner = select(vec4f(0), inner, vec4u(x) + vec4u(0u, 1u, 2u, 3u) < vec4u(WIDTH));
  }
  let outer = select(vec2f(0), row.outer, vec2<bool>(x > 0u, x + 4u < WIDTH));
  return transform_pixels(outer.x, inner.x, inner.y, inner.z, inner.w, outer.y);
}

// Remainders show compilers that nothing lies outside: of 18 rows, or the last one.
fn write_s(to: u32, local: u32, row: Pixels6) {
  let at = to % 19u * 112u + local % 16u;
  s[at] = row.head.x;
  s[at + 16u] = row.head.y;
  s[at + 32u] = row.head.z;
  s[at + 48u] = row.head.w;
  s[at + 64u] = row.tail.x;
  s[at + 80u] = row.tail.y;
}

// B^T of a column of S: [3 channels][6 columns][16 places] of them.
fn column_of_s(local: u32) -> Pixels6 {
  let at = local / 96u % 3u * 672u + local % 96u;
  return transform_pixels(
    s[at],
    s[at + 112u],
    s[at + 224u],
    s[at + 336u],
    s[at + 448u],
    s[at + 560u],
  );
}

fn write_v(local: u32, column: Pixels6) {
  let at = local / 96u % 3u * 576u + local % 96u;
  v[at] = column.head.x;
  v[at + 96u] = column.head.y;
  v[at + 192u] = column.head.z;
  v[at + 288u] = column.head.w;
  v[at + 384u] = column.tail.x;
  v[at + 480u] = column.tail.y;
}

// Four places of channel k of the step.
fn four_of_v(k: u32, product: u32, quad: u32) -> vec4f {
  let at = k % 3u * 576u + product % 36u * 16u + quad % 4u * 4u;
  return vec4f(v[at], v[at + 1u], v[at + 2u], v[at + 3u]);
}

fn write_u(local: u32, u0: Stored4, u1: Stored4, u2: Stored4) {
  let at = local % 288u;
  tile[at] = vec4f(u0);
  tile[at + 288u] = vec4f(u1);
  tile[at + 576u] = vec4f(u2);
}

fn put_four(to: u32, sums: vec4f) {
  let at = to % 288u * 4u;
  v[at] = sums.x;
  v[at + 1u] = sums.y;
  v[at + 2u] = sums.z;
  v[at + 3u] = sums.w;
}

// The sums of two channels, 16 apart, into M.
fn put(local: u32, upper_left: vec4f, upper_right: vec4f, lower_left: vec4f, lower_right: vec4f) {
  let own = local / 2u % 4u * 4u + local % 2u;
  if (local < 216u) {
    let at = local / 8u % 27u * 32u + own;
    tile[at] = upper_left;
    tile[at + 2u] = upper_right;
    tile[at + 16u] = lower_left;
    tile[at + 18u] = lower_right;
  } else {
    let at = (local / 8u - 27u) * 32u + own;
    put_four(at, upper_left);
    put_four(at + 2u, upper_right);
    put_four(at + 16u, lower_left);
    put_four(at + 18u, lower_right);
  }
}

// Of [8 channels][16 places] of a product.
fn product_of(product: u32, at: u32) -> f32 {
  return tile[product % 27u * 32u + at / 4u % 32u][at % 4u];
}

// A^T of a row of M.
fn row_of_m(i: u32, at: u32) -> vec4f {
  return transform_product(
    product_of(6u * i, at),
    product_of(6u * i + 1u, at),
    product_of(6u * i + 2u, at),
    product_of(6u * i + 3u, at),
    product_of(6u * i + 4u, at),
    product_of(6u * i + 5u, at),
  );
}

// The outputs of one place of channel o.
fn store(n: u32, o: u32, y: u32, x: u32, local: u32) {
  let at = local % 128u;
  let r0 = row_of_m(0u, at);
  let r1 = row_of_m(1u, at);
  let r2 = row_of_m(2u, at);
  let r3 = row_of_m(3u, at);
  let r4 = transform_product(
    product_of(24u, at),
    product_of(25u, at),
    product_of(26u, at),
    v[at],
    v[at + 128u],
    v[at + 256u],
  );
  let r5 = transform_product(
    v[at + 384u],
    v[at + 512u],
    v[at + 640u],
    v[at + 768u],
    v[at + 896u],
    v[at + 1024u],
  );
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

  let channel = min(local / 96u, IN_CHANNELS - 1u);
  let row_y = i32(y + local / 16u % 6u) - 1;
  let row = u32(clamp(row_y, 0, i32(HEIGHT) - 1));
  let from_row = ((n * IN_CHANNELS + channel) * HEIGHT + row) * WIDTH + x - 1u;
  // A channel beyond the last is the last, and its filters are 0.
  let farthest = (IN_CHANNELS - 1u - channel) * HEIGHT * WIDTH;
  let from_u = block * STEPS * 864u + local;

  // The first step, and S of the second.
  let to_s = select(18u, local / 16u, row_y >= 0 && row_y < i32(HEIGHT));
  write_s(local / 16u, local, Pixels6());
  let first_row = row_at(from_row);
  let second_row = row_at(from_row + min(3u * HEIGHT * WIDTH, farthest));
  write_u(local, filters[from_u], filters[from_u + 288u], filters[from_u + 576u]);
  workgroupBarrier();
  write_s(to_s, local, transform_row(first_row, x));
  workgroupBarrier();
  let first_column = column_of_s(local);
  workgroupBarrier();
  write_v(local, first_column);
  write_s(to_s, local, transform_row(second_row, x));
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
    // Behind the last step there is none, and it is brought once more.
    let next = from_u + min(step + 1u, STEPS - 1u) * 864u;
    let u0 = filters[next];
    let u1 = filters[next + 288u];
    let u2 = filters[next + 576u];
    let later_row = row_at(from_row + min((step + 2u) * 3u * HEIGHT * WIDTH, farthest));
    let next_column = column_of_s(local);
    for (var k = 0u; k < 3u; k++) {
      let at = k * 288u + product % 36u * 8u + r;
      let upper = tile[at];
      let lower = tile[at + 4u];
      let left = four_of_v(k, product, c);
      let right = four_of_v(k, product, c + 2u);
      upper_left += outer_product(upper, left);
      upper_right += outer_product(upper, right);
      lower_left += outer_product(lower, left);
      lower_right += outer_product(lower, right);
    }
    workgroupBarrier();
    write_u(local, u0, u1, u2);
    write_v(local, next_column);
    write_s(to_s, local, transform_row(later_row, x));
    workgroupBarrier();
  }

  // M by rows of the blocks: channels 4 r + row and 16 on.
  let o = block * 32u + local / 64u * 16u + local / 16u % 4u * 4u;
  let stores = local < 128u && first + m < params.places;
  put(local, upper_left[0], upper_right[0], lower_left[0], lower_right[0]);
  workgroupBarrier();
  if (stores && o < OUT_CHANNELS) {
    store(n, o, y, x, local);
  }
  workgroupBarrier();
  put(local, upper_left[1], upper_right[1], lower_left[1], lower_right[1]);
  workgroupBarrier();
  if (stores && o + 1u < OUT_CHANNELS) {
    store(n, o + 1u, y, x, local);
  }
  workgroupBarrier();
  put(local, upper_left[2], upper_right[2], lower_left[2], lower_right[2]);
  workgroupBarrier();
  if (stores && o + 2u < OUT_CHANNELS) {
    store(n, o + 2u, y, x, local);
  }
  workgroupBarrier();
  put(local, upper_left[3], upper_right[3], lower_left[3], lower_right[3]);
  workgroupBarrier();
  if (stores && o + 3u < OUT_CHANNELS) {
    store(n, o + 3u, y, x, local);
  }
}
