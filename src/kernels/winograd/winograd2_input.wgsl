// Winograd F(2x2, 3x3), first of three kernels: the input transform (Lavin and Gray 2016, section 4.1).
//
//   V[., c, t] = B^T d B        d: the 4x4 pixels under the 2x2 output tile t and its border
//
// Shapes: input [batch, channels, height, width]; transformed [16, stride / b, channels, b], b = block_tiles, where
// t counts the tiles of all images from tile `first` on, and stride is their number rounded up (the rest is never
// read back). Blocks, the order of the invocations and what is read outside of the image: as in winograd_input. One
// of stored_*.wgsl stands in front of this text.
// Reads 16 and writes 16 values a tile: 4 values for each pixel; 32 additions, in registers.
// Preconditions: kernel 3, fewer than 2^31 elements.

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

// B^T applied to four values.
fn transform(d0: f32, d1: f32, d2: f32, d3: f32) -> vec4f {
  return vec4f(d0 - d2, d1 + d2, d2 - d1, d1 - d3);
}

// Four pixels of a row from input[at] on; which of them lie in the image, the second always does.
fn row(at: u32, in_row: bool, first: bool, last: vec2<bool>) -> vec4f {
  return transform(
    select(0.0, input[at], in_row && first),
    select(0.0, input[at + 1u], in_row),
    select(0.0, input[at + 2u], in_row && last.x),
    select(0.0, input[at + 3u], in_row && last.y),
  );
}

// Column j of the transformed rows, transformed in turn: four of the 16 values.
fn store(at: u32, step: u32, j: u32, c: vec4f) {
  transformed[at + (j + 0u) * step] = store_v(c.x);
  transformed[at + (j + 4u) * step] = store_v(c.y);
  transformed[at + (j + 8u) * step] = store_v(c.z);
  transformed[at + (j + 12u) * step] = store_v(c.w);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  let across = (params.width + 1u) / 2u;
  let down = (params.height + 1u) / 2u;
  if (index >= params.stride * params.channels) {
    return;
  }
  let slot = index / (params.block_tiles * params.channels) * params.block_tiles + index % params.block_tiles;
  if (slot >= params.tiles) {
    return;
  }
  let tile = params.first + slot;
  let channel = index / params.block_tiles % params.channels;
  let plane = tile / (down * across) * params.channels + channel;
  // Unsigned: a position left of or above the image wraps to a huge one, so one test is enough.
  let y = tile / across % down * 2u - 1u;
  let x = tile % across * 2u - 1u;
  let first = x < params.width;
  let last = x + vec2u(2u, 3u) < vec2u(params.width);
  let pitch = params.width;
  let pixel = (plane * params.height + y) * pitch + x;

  let r0 = row(pixel, y < params.height, first, last);
  let r1 = row(pixel + pitch, true, first, last);
  let r2 = row(pixel + 2u * pitch, y + 2u < params.height, first, last);
  let r3 = row(pixel + 3u * pitch, y + 3u < params.height, first, last);
  let step = params.channels * params.stride;
  store(index, step, 0u, transform(r0.x, r1.x, r2.x, r3.x));
  store(index, step, 1u, transform(r0.y, r1.y, r2.y, r3.y));
  store(index, step, 2u, transform(r0.z, r1.z, r2.z, r3.z));
  store(index, step, 3u, transform(r0.w, r1.w, r2.w, r3.w));
}
