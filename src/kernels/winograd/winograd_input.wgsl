// Winograd F(4x4, 3x3), first of three kernels: the input transform (Lavin and Gray 2016, section 4.1).
//
//   V[., c, t] = B^T d B        d: the 6x6 pixels under the 4x4 output tile t and its border
//                               interpolated at 0, +-3/4, +-3/2 and infinity, see transforms.wgsl
//
// Shapes: input [batch, channels, height, width]; transformed [36, stride / b, channels, b], b = block_tiles, where
// t counts the tiles of all images, or those listed, from place `first` on, and stride is their number rounded up to
// a multiple of 16 (the rest is never read back). A block is what the product reads in one go: 16 tiles, or all of
// them.
// One invocation a channel and tile, in the order in which V is written. Outside the image is zero; it is read
// like the rest, as whatever a read past the end gives, and not used: with a branch for each of 36 pixels the kernel
// took SwiftShader 2.6 times as long.
// Reads 36 and writes 36 f32 a tile: 2.25 values for each pixel; about 250 FLOP, in registers.
// Preconditions: kernel 3, fewer than 2^31 elements.

import package::shared::places::place_of;
import package::winograd::stored::{Stored, store_v};
import package::winograd::transforms::{Pixels6, transform_pixels};

struct Params {
  first: u32,
  tiles: u32,
  channels: u32,
  height: u32,
  width: u32,
  stride: u32,
  block_tiles: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read_write> transformed: array<Stored>;

// Six pixels of a row from input[at] on; which of them lie in the image, the second always does.
fn row(at: u32, in_row: bool, first: bool, last: vec4<bool>) -> Pixels6 {
  let inside = last & vec4<bool>(in_row);
  return transform_pixels(
    select(0.0, input[at], in_row && first),
    select(0.0, input[at + 1u], in_row),
    select(0.0, input[at + 2u], inside.x),
    select(0.0, input[at + 3u], inside.y),
    select(0.0, input[at + 4u], inside.z),
    select(0.0, input[at + 5u], inside.w),
  );
}

// Column j of the transformed rows, transformed in turn: six of the 36 values.
fn store(at: u32, step: u32, j: u32, c: Pixels6) {
  transformed[at + (j + 0u) * step] = store_v(c.head.x);
  transformed[at + (j + 6u) * step] = store_v(c.head.y);
  transformed[at + (j + 12u) * step] = store_v(c.head.z);
  transformed[at + (j + 18u) * step] = store_v(c.head.w);
  transformed[at + (j + 24u) * step] = store_v(c.tail.x);
  transformed[at + (j + 30u) * step] = store_v(c.tail.y);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  let across = (params.width + 3u) / 4u;
  let down = (params.height + 3u) / 4u;
  if (index >= params.stride * params.channels) {
    return;
  }
  let slot = index / (params.block_tiles * params.channels) * params.block_tiles + index % params.block_tiles;
  if (slot >= params.tiles) {
    return;
  }
  let tile = place_of(params.first + slot);
  let channel = index / params.block_tiles % params.channels;
  let plane = tile / (down * across) * params.channels + channel;
  // Unsigned: a position left of or above the image wraps to a huge one, so one test is enough.
  let y = tile / across % down * 4u - 1u;
  let x = tile % across * 4u - 1u;
  let first = x < params.width;
  let last = x + vec4u(2u, 3u, 4u, 5u) < vec4u(params.width);
  let pitch = params.width;
  let pixel = (plane * params.height + y) * pitch + x;

  let r0 = row(pixel, y < params.height, first, last);
  let r1 = row(pixel + pitch, true, first, last);
  let r2 = row(pixel + 2u * pitch, y + 2u < params.height, first, last);
  let r3 = row(pixel + 3u * pitch, y + 3u < params.height, first, last);
  let r4 = row(pixel + 4u * pitch, y + 4u < params.height, first, last);
  let r5 = row(pixel + 5u * pitch, y + 5u < params.height, first, last);
  let step = params.channels * params.stride;
  store(index, step, 0u, transform_pixels(r0.head.x, r1.head.x, r2.head.x, r3.head.x, r4.head.x, r5.head.x));
  store(index, step, 1u, transform_pixels(r0.head.y, r1.head.y, r2.head.y, r3.head.y, r4.head.y, r5.head.y));
  store(index, step, 2u, transform_pixels(r0.head.z, r1.head.z, r2.head.z, r3.head.z, r4.head.z, r5.head.z));
  store(index, step, 3u, transform_pixels(r0.head.w, r1.head.w, r2.head.w, r3.head.w, r4.head.w, r5.head.w));
  store(index, step, 4u, transform_pixels(r0.tail.x, r1.tail.x, r2.tail.x, r3.tail.x, r4.tail.x, r5.tail.x));
  store(index, step, 5u, transform_pixels(r0.tail.y, r1.tail.y, r2.tail.y, r3.tail.y, r4.tail.y, r5.tail.y));
}
