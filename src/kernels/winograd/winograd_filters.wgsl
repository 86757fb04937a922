// Winograd F(4x4, 3x3), before the three kernels of the convolution itself: the filter transform (Lavin and
// Gray 2016, section 4.1).
//
//   U[., c, o] = G g G^T        g: the 3x3 filter from input channel c to output channel o; G: transforms.wgsl
//
// Shapes: weights [channels 3 3, out_stride / 4] Four, see packConv; filters U [36, channels, out_stride],
// written four at a time. out_stride is a multiple of 8; its padding is zero and stays it.
// One invocation an input channel and four output channels, neighbours on neighbouring outputs. Reads 9
// Four and writes 36 vec4; about 140 vec4f operations, in registers.
// Preconditions: kernel 3, fewer than 2^31 elements.

import package::shared::weights::{Four, unpack};
import package::winograd::stored::{Stored4, store_u};
import package::winograd::transforms::{Filter6, transform_filter};

struct Params {
  channels: u32,
  out_stride: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> weights: array<Four>;
@group(0) @binding(2) var<storage, read_write> filters: array<Stored4>;

// Row i of U, from the three values of row i of G g.
fn store(at: u32, step: u32, i: u32, g0: vec4f, g1: vec4f, g2: vec4f) {
  let row = transform_filter(g0, g1, g2);
  filters[at + (6u * i + 0u) * step] = store_u(row.u0);
  filters[at + (6u * i + 1u) * step] = store_u(row.u1);
  filters[at + (6u * i + 2u) * step] = store_u(row.u2);
  filters[at + (6u * i + 3u) * step] = store_u(row.u3);
  filters[at + (6u * i + 4u) * step] = store_u(row.u4);
  filters[at + (6u * i + 5u) * step] = store_u(row.u5);
}

fn column(at: u32, pitch: u32, x: u32) -> Filter6 {
  return transform_filter(
    unpack(weights[at + x * pitch]),
    unpack(weights[at + (x + 3u) * pitch]),
    unpack(weights[at + (x + 6u) * pitch]),
  );
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  let pitch = params.out_stride / 4u;
  if (index >= params.channels * pitch) {
    return;
  }
  let channel = index / pitch;
  let four = index % pitch;
  let from_at = channel * 9u * pitch + four;
  let c0 = column(from_at, pitch, 0u);
  let c1 = column(from_at, pitch, 1u);
  let c2 = column(from_at, pitch, 2u);
  // Filters [36, channels, pitch]: index is already [channel, four].
  let step = params.channels * pitch;
  store(index, step, 0u, c0.u0, c1.u0, c2.u0);
  store(index, step, 1u, c0.u1, c1.u1, c2.u1);
  store(index, step, 2u, c0.u2, c1.u2, c2.u2);
  store(index, step, 3u, c0.u3, c1.u3, c2.u3);
  store(index, step, 4u, c0.u4, c1.u4, c2.u4);
  store(index, step, 5u, c0.u5, c1.u5, c2.u5);
}
