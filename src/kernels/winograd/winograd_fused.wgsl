// Convolution by Winograd F(2x2, 3x3) in one kernel, for GPUs: neither the transformed input nor the products are ever in
// memory. 16 products where the definition has 36 (Lavin and Gray 2016, section 4.1), with bias, activation and optional
// 2x2 max pooling, over all places or those listed, on a tensor or on an image under masks.
//
//   Y = A^T [(G g G^T) * (B^T d B)] A + bias      d: 4x4 pixels, Y: 2x2 outputs; * by element, summed over channels
//   B^T = [1 0 -1 0; 0 1 1 0; 0 -1 1 0; 0 1 0 -1], A^T = [1 1 1 0; 0 1 -1 -1]
//   output = activation(Y);  with ADDED activation(Y + added);  with POOL the largest of each 2x2
//
// Shapes: input [batch, IN_CHANNELS, HEIGHT, WIDTH], or image [IN_CHANNELS, HEIGHT, WIDTH] under mask m, made of map
// channels[first_mask + m] as shared/mask_at.wgsl says; filters U as winograd_filters_fused.wgsl leaves them;
// output [batch, OUT_CHANNELS, HEIGHT, WIDTH], or half of both with POOL (an odd last row or column is dropped), or the
// channels from OUT_FIRST on of [batch, OUT_OF, ...]; and so `added` [batch, ADDED_OF, HEIGHT, WIDTH].
//
// A place is 4x4 outputs, four tiles, as F(4x4) counts them. 256 invocations compute 8 places (32 tiles) x 32 channels,
// 16 products of 32 x 32: an invocation has 8 x 8 sums of one of the products, in 2 x 2 blocks of 4 x 4, half a tile
// apart. A step is four channels of the input:
//   - 512 vec4 of U are copied, two an invocation: they lie in memory as they lie in the workgroup's.
//   - V: an invocation transforms one row of the four of B^T for two tiles side by side and one channel: 2 x 6 pixels
//     read, 22 operations, 8 values written. A row above or below the image is its own next one, times 0, so that
//     nothing is read that exact skipping has not filled in; what is beside it is read like the rest, and dropped.
//   - 16 vec4f of workgroup memory read for 256 multiply-adds: one byte each.
// U and pixels of the next step are on their way meanwhile. With SIDES 2 it is written beside the one that is read: one
// barrier a step instead of two.
// At the end each channel's products meet in workgroup memory, 8 SIDES channels at a time: an invocation transforms
// those of two tiles side by side, and stores two rows of four.
//
// In memory a step reads 8 KiB of U and 3.2 KiB of pixels for 65536 multiply-adds, 0.17 bytes each in f32, 0.11 with U in
// f16. Workgroups go through 8 blocks of places, then on to the next 32 channels of the same: what runs at the same time
// shares pixels and U. docs/gpu-kernels.md counts the rest.
// With products_f16 U and V are f16 in workgroup memory, two steps of them, and so are products and their sums over a block of
// four steps, 16 channels, which is then added to f32: two multiply-adds an instruction. An invocation's channels and places
// lie side by side, so that a read of 16 bytes has eight of them. V is divided by 32: activations up to 65000 fit. What is
// beyond f16 is infinite in V, sums become so by themselves, and the check of outputs finds both.
// Workgroup memory: 16 KiB SIDES. Registers: 64 sums, 16 or 32 operands, 20 on their way, addresses: 128 on RDNA2.
// Preconditions: kernel 3; SIDES 1 or 2, of products_f16 1; fewer than 2^31 elements a tensor. A constant map gives a mask of zero.

import package::shared::mask_at::mask_of_four;
import package::shared::places::place_of;
import package::shared::size::{HEIGHT, WIDTH};
import package::winograd::in_one_kernel::{Row, outer_product, row_at, store_two};
import package::winograd::stored::{Stored4, V_SCALE};
import constants::{SIDES};

override IN_CHANNELS: u32;
// A quarter of them, rounded up.
override STEPS: u32;
override OUT_CHANNELS: u32;

struct Params {
  places: u32,
  @if(pixels_masked) first_mask: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> filters: array<Stored4>;
@if(pixels_masked) @group(0) @binding(7) var<storage, read> channels: array<u32>;

// SIDES times U [4 channels][16 products][8 of four channels] and V [4][16][8 places of four tiles]; before the sum
// the mask [8 places][6 rows][2 of four columns], and behind it SIDES times M [16][8 channels][8 places].
// In f16, two of U [4 channels][16 products][4 of eight channels] and V [4][16][4 of two places of four tiles].
@if(products_f32) alias Held = vec4f;
@if(products_f16) alias Held = vec4u;
var<workgroup> tile: array<Held, 1024 * SIDES>;

// Blocks of places that workgroups go through before the next 32 channels.
const TOGETHER = 8u;

// How far it is to a channel of a later step. One beyond the last is the last, and its filters are 0.
fn way_to(step: u32, channel: u32) -> u32 {
  var channels = 4u * step;
  if (IN_CHANNELS % 4u != 0u) {
    channels = min(channels + channel, IN_CHANNELS - 1u) - channel;
  }
  return channels * HEIGHT * WIDTH;
}

// Two rows, each times what it counts. What stands beyond the ends of a tensor's row need not be finite.
@if(pixels_plain)
fn combined(a: Row, b: Row, a_counts: f32, b_counts: f32, x: u32) -> Row {
  var inner = a_counts * a.inner + b_counts * b.inner;
  let outer = a_counts * a.outer + b_counts * b.outer;
  if (WIDTH % 4u != 0u) {
    inner = select(vec4f(0), inner, vec4u(x) + vec4u(0u, 1u, 2u, 3u) < vec4u(WIDTH));
  }
  return Row(inner, select(vec2f(0), outer, vec2<bool>(x > 0u, x + 4u < WIDTH)));
}

// The image is finite, and the mask is 0 outside.
@if(pixels_masked)
fn combined(a: Row, b: Row, a_counts: Row, b_counts: Row, _x: u32) -> Row {
  return Row(
    a_counts.inner * a.inner + b_counts.inner * b.inner,
    a_counts.outer * a.outer + b_counts.outer * b.outer,
  );
}

// Row y, or for one above or below the image, which counts nothing, the image's own that is next.
fn clamped(y: i32) -> u32 {
  return u32(clamp(y, 0, i32(HEIGHT) - 1));
}

// What each pixel of a row counts, `row` being its place among the six that a place reads: `factor`, or nothing outside.
@if(pixels_plain)
fn counts_of(y: i32, _place: u32, _row: u32, factor: f32) -> f32 {
  return select(0.0, factor, y >= 0 && y < i32(HEIGHT));
}

@if(pixels_masked)
fn counts_of(_y: i32, place: u32, row: u32, factor: f32) -> Row {
  let low = tile[(place * 6u + row) * 2u];
  let high = tile[(place * 6u + row) * 2u + 1u];
  return Row(factor * vec4f(low.yzw, high.x), factor * vec2f(low.x, high.y));
}

// Of its step, what this invocation brings. Remainders show compilers that nothing lies outside of the tile.
@if(products_f32)
fn write_u(step: u32, local: u32, u: Stored4, u2: Stored4) {
  let at = step % SIDES * 1024u + local % 256u;
  tile[at] = vec4f(u);
  tile[at + 256u] = vec4f(u2);
}

// Of a step behind the last of a block there is nothing.
@if(products_f16)
fn write_u(step: u32, local: u32, u: Stored4, u2: Stored4, exists: bool) {
  let both = vec4u(bitcast<vec2u>(u), bitcast<vec2u>(u2));
  tile[step % 2u * 512u + local % 256u] = select(vec4u(0), both, exists);
}

// The same of V: a row of B^T d, applied to B from the right, of two tiles side by side.
@if(products_f32)
fn write_v(step: u32, local: u32, row: Row) {
  let at = step % SIDES * 1024u + 512u + local / 32u % 4u * 128u + local / 8u % 4u * 32u + local % 8u;
  let v0 = vec2f(row.outer.x - row.inner.y, row.inner.y - row.inner.w);
  let v1 = vec2f(row.inner.x + row.inner.y, row.inner.z + row.inner.w);
  let v2 = vec2f(row.inner.y - row.inner.x, row.inner.w - row.inner.z);
  let v3 = vec2f(row.inner.x - row.inner.z, row.inner.z - row.outer.y);
  // The same for 128 invocations in a row.
  if (local < 128u) {
    tile[at].x = v0.x;
    tile[at].y = v0.y;
    tile[at + 8u].x = v1.x;
    tile[at + 8u].y = v1.y;
    tile[at + 16u].x = v2.x;
    tile[at + 16u].y = v2.y;
    tile[at + 24u].x = v3.x;
    tile[at + 24u].y = v3.y;
  } else {
    tile[at].z = v0.x;
    tile[at].w = v0.y;
    tile[at + 8u].z = v1.x;
    tile[at + 8u].w = v1.y;
    tile[at + 16u].z = v2.x;
    tile[at + 16u].w = v2.y;
    tile[at + 24u].z = v3.x;
    tile[at + 24u].w = v3.y;
  }
}

// WGSL leaves open what a conversion makes of numbers beyond f16. Where a row has one, a value of both tiles is made infinite:
// all channels have outputs that it goes into.
@if(products_f16)
fn write_v(step: u32, local: u32, row: Row) {
  let at = step % 2u * 512u + 256u + local / 32u % 4u * 64u + local / 8u % 4u * 16u + local % 8u / 2u;
  let part = local % 2u * 2u + local / 128u % 2u;
  let pairs = max(abs(row.inner.xy), abs(row.inner.zw));
  let largest = max(max(pairs.x, pairs.y), max(abs(row.outer.x), abs(row.outer.y)));
  let inner = vec4h(row.inner);
  let outer = vec2h(row.outer);
  let v1 = bitcast<u32>(inner.xz + inner.yw);
  tile[at][part] = bitcast<u32>(vec2h(outer.x, inner.y) - inner.yw);
  // Of what is no larger than half of 65504 every sum of two is in f16.
  tile[at + 4u][part] = select(0x7c007c00u, v1, largest <= 32752.0);
  tile[at + 8u][part] = bitcast<u32>(inner.yw - inner.xz);
  tile[at + 12u][part] = bitcast<u32>(inner.xz - vec2h(inner.z, outer.y));
}

@if(products_f16)
fn outer_half(u: vec4h, v: vec4h) -> mat4x4h {
  return mat4x4h(u.x * v, u.y * v, u.z * v, u.w * v);
}

@if(products_f16)
fn wide(sums: mat4x4h) -> mat4x4f {
  return mat4x4f(vec4f(sums[0]), vec4f(sums[1]), vec4f(sums[2]), vec4f(sums[3]));
}

// How far apart an invocation's two fours of places are.
@if(products_f32) const BESIDE = 4u;
@if(products_f16) const BESIDE = 1u;

// The sums of four channels, two of them of its second four of channels, into M.
fn put(at: u32, upper_left: vec4f, upper_right: vec4f, lower_left: vec4f, lower_right: vec4f) {
  tile[at] = bitcast<Held>(upper_left);
  tile[at + BESIDE] = bitcast<Held>(upper_right);
  tile[at + 32u] = bitcast<Held>(lower_left);
  tile[at + 32u + BESIDE] = bitcast<Held>(lower_right);
}

// Two tiles side by side: one of their products each.
fn product_at(at: u32, lower: u32) -> vec2f {
  return vec2f(bitcast<f32>(tile[at][2u * lower]), bitcast<f32>(tile[at][2u * lower + 1u]));
}

// A^T applied to a row of the products of two tiles: their first columns, then their second ones.
fn columns_at(at: u32, lower: u32) -> vec4f {
  let m0 = product_at(at, lower);
  let m1 = product_at(at + 64u, lower);
  let m2 = product_at(at + 128u, lower);
  let m3 = product_at(at + 192u, lower);
  return vec4f(m0 + m1 + m2, m1 - m2 - m3);
}

// Two rows of four outputs of channel o: those of two tiles.
fn store(n: u32, o: u32, y: u32, x: u32, at: u32, lower: u32) {
  let c0 = columns_at(at, lower);
  let c1 = columns_at(at + 256u, lower);
  let c2 = columns_at(at + 512u, lower);
  let c3 = columns_at(at + 768u, lower);
  if (y < HEIGHT) {
    store_two(n, o, y, x, (c0 + c1 + c2).xzyw, (c1 - c2 - c3).xzyw);
  }
}

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let blocks = (OUT_CHANNELS + 31u) / 32u;
  let index = wg.x + wg.y * groups.x;
  let rest = index % (TOGETHER * blocks);
  let first = (index / (TOGETHER * blocks) * TOGETHER + rest % TOGETHER) * 8u;
  let block = rest / TOGETHER;
  if (first >= params.places) {
    return;
  }
  // Where the place lies whose pixels it reads, and whose outputs it stores. Beyond the last it is the last, and not stored.
  let m = local % 8u;
  let place = place_of(min(first + m, params.places - 1u));
  let across = (WIDTH + 3u) / 4u;
  let down = (HEIGHT + 3u) / 4u;
  let n = place / (across * down);
  let y = place / across % down * 4u;
  let x = place % across * 4u;

  @if(pixels_masked)
  {
    let map = channels[params.first_mask + n];
    // 6 rows of 2 x 4 columns of each place.
    let four = local / 8u;
    if (four < 12u) {
      let row = y + four / 2u - 1u;
      let column = x + four % 2u * 4u - 1u;
      tile[m * 12u + four] = mask_of_four(map, row, column);
    }
    workgroupBarrier();
  }

  // Of V it brings row i of B^T d B, of the place's upper or lower two tiles and one of four channels: the difference
  // of two rows of pixels, or their sum.
  let i = local / 8u % 4u;
  let channel = local / 32u % 4u;
  let lower = local / 128u;
  let a = 2u * lower + ((0x1210u >> (4u * i)) & 3u);
  let b = 2u * lower + ((0x3122u >> (4u * i)) & 3u);
  let a_y = i32(y + a) - 1;
  let b_y = i32(y + b) - 1;
  let a_counts = counts_of(a_y, m, a, V_SCALE);
  let b_counts = counts_of(b_y, m, b, select(-V_SCALE, V_SCALE, i == 1u));
  @if(pixels_masked) workgroupBarrier();
  @if(pixels_plain) let image = n * IN_CHANNELS;
  @if(pixels_masked) let image = 0u;
  let plane = (image + channel) * HEIGHT * WIDTH;
  let a_at = plane + clamped(a_y) * WIDTH + x - 1u;
  let b_at = plane + clamped(b_y) * WIDTH + x - 1u;
  @if(products_f32) let from_u = block * STEPS * 512u + local;
  @if(products_f32) write_u(0u, local, filters[from_u], filters[from_u + 256u]);
  @if(products_f16) let from_u = block * STEPS * 512u + 2u * local;
  @if(products_f16) write_u(0u, local, filters[from_u], filters[from_u + 1u], true);
  let first_a = row_at(a_at + way_to(0u, channel));
  let first_b = row_at(b_at + way_to(0u, channel));
  write_v(0u, local, combined(first_a, first_b, a_counts, b_counts, x));
  workgroupBarrier();

  // What it sums up: one product, channels 4 r to 4 r + 3 and as many 16 on, places c and 4 + c; in f16, eight channels from
  // 8 r on, places 2 c and 2 c + 1.
  let product = local / 16u;
  let r = local / 4u % 4u;
  let c = local % 4u;
  var upper_left = mat4x4f();
  var upper_right = mat4x4f();
  var lower_left = mat4x4f();
  var lower_right = mat4x4f();
  @if(products_f16)
  for (var four = 0u; four < (STEPS + 3u) / 4u; four++) {
    let before = 4u * four;
    var half_upper_left = mat4x4h();
    var half_upper_right = mat4x4h();
    var half_lower_left = mat4x4h();
    var half_lower_right = mat4x4h();
    for (var step = 0u; step < 4u; step++) {
      let next = min(before + step + 1u, STEPS - 1u);
      let u = filters[from_u + next * 512u];
      let u2 = filters[from_u + next * 512u + 1u];
      let a_row = row_at(a_at + way_to(next, channel));
      let b_row = row_at(b_at + way_to(next, channel));
      // Sides by the step of the block: where they lie is known to compilers that write its four steps out.
      let side = step % 2u * 512u;
      for (var k = 0u; k < 4u; k++) {
        let at = side + k * 64u + product * 4u;
        let us = tile[at + r];
        let vs = tile[at + 256u + c];
        let u0 = bitcast<vec4h>(us.xy);
        let u1 = bitcast<vec4h>(us.zw);
        let v0 = bitcast<vec4h>(vs.xy);
        let v1 = bitcast<vec4h>(vs.zw);
        half_upper_left += outer_half(u0, v0);
        half_upper_right += outer_half(u0, v1);
        half_lower_left += outer_half(u1, v0);
        half_lower_right += outer_half(u1, v1);
      }
      // The side that is written was read in the step before, whose barrier everybody has passed.
      let exists = STEPS % 4u == 0u || before + step + 1u < STEPS;
      write_u(step + 1u, local, u, u2, exists);
      write_v(step + 1u, local, combined(a_row, b_row, a_counts, b_counts, x));
      workgroupBarrier();
    }
    upper_left += wide(half_upper_left);
    upper_right += wide(half_upper_right);
    lower_left += wide(half_lower_left);
    lower_right += wide(half_lower_right);
  }

  @if(products_f32)
  for (var step = 0u; step < STEPS; step++) {
    // Behind the last step there is none, and it is brought once more.
    let next = min(step + 1u, STEPS - 1u);
    let u = filters[from_u + next * 512u];
    let u2 = filters[from_u + next * 512u + 256u];
    let a_row = row_at(a_at + way_to(next, channel));
    let b_row = row_at(b_at + way_to(next, channel));
    let side = step % SIDES * 1024u;
    for (var k = 0u; k < 4u; k++) {
      let at = side + k * 128u + product * 8u;
      let u0 = tile[at + r];
      let u1 = tile[at + r + 4u];
      let v0 = tile[at + 512u + c];
      let v1 = tile[at + 516u + c];
      upper_left += outer_product(u0, v0);
      upper_right += outer_product(u0, v1);
      lower_left += outer_product(u1, v0);
      lower_right += outer_product(u1, v1);
    }
    // With two sides the other one was read in the round before, whose barrier everybody has passed.
    if (SIDES == 1u) {
      workgroupBarrier();
    }
    write_u(step + 1u, local, u, u2);
    write_v(step + 1u, local, combined(a_row, b_row, a_counts, b_counts, x));
    workgroupBarrier();
  }

  // M by rows of the blocks: channels 4 r + row and 16 on. With two sides, two rows at a time; else half of the
  // invocations stores one, the other half the next.
  @if(products_f32) let to_m = product * 64u + r * 8u + c;
  @if(products_f16) let to_m = product * 64u + r * 8u + 2u * c;
  let second = 1024u * (SIDES - 1u);
  let half = local / 128u;
  @if(products_f32) let o = block * 32u + local / 32u % 2u * 16u + local / 8u % 4u * 4u + half;
  @if(products_f16) let o = block * 32u + local / 32u % 2u * 4u + local / 8u % 4u * 8u + half;
  let from_m = half * second + local / 8u % 8u * 8u + m;
  let tiles = local / 64u % 2u;
  let stores = first + m < params.places;
  put(to_m, upper_left[0], upper_right[0], lower_left[0], lower_right[0]);
  if (SIDES == 1u) {
    workgroupBarrier();
    if (stores && half == 0u && o < OUT_CHANNELS) {
      store(n, o, y + 2u * tiles, x, from_m, tiles);
    }
    workgroupBarrier();
  }
  put(second + to_m, upper_left[1], upper_right[1], lower_left[1], lower_right[1]);
  workgroupBarrier();
  if (stores && (SIDES == 2u || half == 1u) && o < OUT_CHANNELS) {
    store(n, o, y + 2u * tiles, x, from_m, tiles);
  }
  workgroupBarrier();
  put(to_m, upper_left[2], upper_right[2], lower_left[2], lower_right[2]);
  if (SIDES == 1u) {
    workgroupBarrier();
    if (stores && half == 0u && o + 2u < OUT_CHANNELS) {
      store(n, o + 2u, y + 2u * tiles, x, from_m, tiles);
    }
    workgroupBarrier();
  }
  put(second + to_m, upper_left[3], upper_right[3], lower_left[3], lower_right[3]);
  workgroupBarrier();
  if (stores && (SIDES == 2u || half == 1u) && o + 2u < OUT_CHANNELS) {
    store(n, o + 2u, y + 2u * tiles, x, from_m, tiles);
  }
}
