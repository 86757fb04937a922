// Winograd F(4x4, 3x3), first of three kernels: the input transform (Lavin and Gray 2016, section 4.1).
//
//   V[., c, t] = B^T d B        d: the 6x6 pixels under the 4x4 output tile t and its border
//
// Shapes: input [batch, channels, height, width]; transformed [36, channels, stride], where t counts the
// tiles of all images, or those listed, and stride is their number rounded up to 16 (the rest is never read
// back). One of places_*.wgsl stands in front of this text.
// One invocation a channel and tile, neighbours on neighbouring tiles. Outside the image is zero.
// Reads 36 and writes 36 f32 a tile: 2.25 values for each pixel; about 250 FLOP, in registers.
// Preconditions: kernel 3, fewer than 2^31 elements.

struct Params {
  places: u32,
  channels: u32,
  height: u32,
  width: u32,
  stride: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read_write> transformed: array<f32>;

// B^T applied to six values, the first four and the last two.
struct Six {
  head: vec4f,
  tail: vec2f,
}

fn transform(d0: f32, d1: f32, d2: f32, d3: f32, d4: f32, d5: f32) -> Six {
  let even = d4 - 4.0 * d2;
  let odd = d3 - 4.0 * d1;
  let even2 = d4 - d2;
  let odd2 = 2.0 * (d3 - d1);
  return Six(
    vec4f(4.0 * d0 - 5.0 * d2 + d4, even + odd, even - odd, even2 + odd2),
    vec2f(even2 - odd2, 4.0 * d1 - 5.0 * d3 + d5),
  );
}

// Unsigned: a position left of or above the image wraps to a huge one, so one test is enough.
fn pixel(plane: u32, y: u32, x: u32) -> f32 {
  if (y >= params.height || x >= params.width) {
    return 0.0;
  }
  return input[(plane * params.height + y) * params.width + x];
}

fn row(plane: u32, y: u32, x: u32) -> Six {
  return transform(
    pixel(plane, y, x),
    pixel(plane, y, x + 1u),
    pixel(plane, y, x + 2u),
    pixel(plane, y, x + 3u),
    pixel(plane, y, x + 4u),
    pixel(plane, y, x + 5u),
  );
}

// Column j of the transformed rows, transformed in turn: six of the 36 values.
fn store(at: u32, step: u32, j: u32, c: Six) {
  transformed[at + (j + 0u) * step] = c.head.x;
  transformed[at + (j + 6u) * step] = c.head.y;
  transformed[at + (j + 12u) * step] = c.head.z;
  transformed[at + (j + 18u) * step] = c.head.w;
  transformed[at + (j + 24u) * step] = c.tail.x;
  transformed[at + (j + 30u) * step] = c.tail.y;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  let across = (params.width + 3u) / 4u;
  let down = (params.height + 3u) / 4u;
  if (index >= place_count() * params.channels) {
    return;
  }
  let slot = index % place_count();
  let tile = place_of(slot);
  let channel = index / place_count();
  let n = tile / (down * across);
  let plane = n * params.channels + channel;
  let y = tile / across % down * 4u - 1u;
  let x = tile % across * 4u - 1u;

  let r0 = row(plane, y, x);
  let r1 = row(plane, y + 1u, x);
  let r2 = row(plane, y + 2u, x);
  let r3 = row(plane, y + 3u, x);
  let r4 = row(plane, y + 4u, x);
  let r5 = row(plane, y + 5u, x);
  let step = params.channels * params.stride;
  let at = channel * params.stride + slot;
  store(at, step, 0u, transform(r0.head.x, r1.head.x, r2.head.x, r3.head.x, r4.head.x, r5.head.x));
  store(at, step, 1u, transform(r0.head.y, r1.head.y, r2.head.y, r3.head.y, r4.head.y, r5.head.y));
  store(at, step, 2u, transform(r0.head.z, r1.head.z, r2.head.z, r3.head.z, r4.head.z, r5.head.z));
  store(at, step, 3u, transform(r0.head.w, r1.head.w, r2.head.w, r3.head.w, r4.head.w, r5.head.w));
  store(at, step, 4u, transform(r0.tail.x, r1.tail.x, r2.tail.x, r3.tail.x, r4.tail.x, r5.tail.x));
  store(at, step, 5u, transform(r0.tail.y, r1.tail.y, r2.tail.y, r3.tail.y, r4.tail.y, r5.tail.y));
}
