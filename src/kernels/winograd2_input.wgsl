// Winograd F(2x2, 3x3), first of three kernels: the input transform (Lavin and Gray 2016, section 4.1).
//
//   V[., c, t] = B^T d B        d: the 4x4 pixels under the 2x2 output tile t and its border
//
// Shapes: input [batch, channels, height, width]; transformed [16, channels, stride], where t counts the tiles of
// all images from tile `first` on, and stride is their number rounded up (the rest is never read back). One of
// stored_*.wgsl stands in front of this text.
// One invocation a channel and tile, neighbours on neighbouring tiles. Outside the image is zero.
// Reads 16 and writes 16 values a tile: 4 values for each pixel; 32 additions, in registers.
// Preconditions: kernel 3, fewer than 2^31 elements.

struct Params {
  first: u32,
  tiles: u32,
  channels: u32,
  height: u32,
  width: u32,
  stride: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read_write> transformed: array<Stored>;

// B^T applied to four values.
fn transform(d0: f32, d1: f32, d2: f32, d3: f32) -> vec4f {
  return vec4f(d0 - d2, d1 + d2, d2 - d1, d1 - d3);
}

// Unsigned: a position left of or above the image wraps to a huge one, so one test is enough.
fn pixel(plane: u32, y: u32, x: u32) -> f32 {
  if (y >= params.height || x >= params.width) {
    return 0.0;
  }
  return input[(plane * params.height + y) * params.width + x];
}

fn row(plane: u32, y: u32, x: u32) -> vec4f {
  return transform(
    pixel(plane, y, x),
    pixel(plane, y, x + 1u),
    pixel(plane, y, x + 2u),
    pixel(plane, y, x + 3u),
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
  if (index >= params.tiles * params.channels) {
    return;
  }
  let slot = index % params.tiles;
  let tile = params.first + slot;
  let channel = index / params.tiles;
  let n = tile / (down * across);
  let plane = n * params.channels + channel;
  let y = tile / across % down * 2u - 1u;
  let x = tile % across * 2u - 1u;

  let r0 = row(plane, y, x);
  let r1 = row(plane, y + 1u, x);
  let r2 = row(plane, y + 2u, x);
  let r3 = row(plane, y + 3u, x);
  let step = params.channels * params.stride;
  let at = channel * params.stride + slot;
  store(at, step, 0u, transform(r0.x, r1.x, r2.x, r3.x));
  store(at, step, 1u, transform(r0.y, r1.y, r2.y, r3.y));
  store(at, step, 2u, transform(r0.z, r1.z, r2.z, r3.z));
  store(at, step, 3u, transform(r0.w, r1.w, r2.w, r3.w));
}
