// Winograd F(4x4, 3x3) in one kernel, before the convolution itself: the filter transform (Lavin and Gray 2016, section
// 4.1).
//
//   U[., c, o] = G g G^T        g: the 3x3 filter from input channel c to output channel o; G: transforms.wgsl
//
// Shapes: weights [channels 3 3, pitch] Four, see packConv: 4 pitch is the output channels rounded up to 8; filters U
// [blocks of 32 output channels, steps of 3 input channels, 3, 36, 32], written four at a time: what a workgroup of
// winograd_4x4_fused.wgsl takes in a step stands in a row. What lies beyond the last channels is zero.
// One invocation an input channel and four output channels, neighbours on neighbouring outputs. Reads 9 Four and
// writes 36 vec4; about 140 vec4f operations, in registers.
// Preconditions: kernel 3, fewer than 2^31 elements.

import package::shared::weights::{Four, unpack};
import package::winograd::stored::{Stored4, store_u};
import package::winograd::transforms::{Filter6, transform_filter};

struct Params {
  channels: u32,
  pitch: u32,
  blocks: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> weights: array<Four>;
@group(0) @binding(2) var<storage, read_write> filters: array<Stored4>;

fn column(at: u32, x: u32) -> Filter6 {
  return transform_filter(
    unpack(weights[at + x * params.pitch]),
    unpack(weights[at + (x + 3u) * params.pitch]),
    unpack(weights[at + (x + 6u) * params.pitch]),
  );
}

// A row of U, from the three values of the same row of G g.
fn store(at: u32, g0: vec4f, g1: vec4f, g2: vec4f, exists: bool) {
  let row = transform_filter(g0, g1, g2);
  filters[at] = store_u(select(vec4f(0), row.u0, exists));
  filters[at + 8u] = store_u(select(vec4f(0), row.u1, exists));
  filters[at + 16u] = store_u(select(vec4f(0), row.u2, exists));
  filters[at + 24u] = store_u(select(vec4f(0), row.u3, exists));
  filters[at + 32u] = store_u(select(vec4f(0), row.u4, exists));
  filters[at + 40u] = store_u(select(vec4f(0), row.u5, exists));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  let padded = (params.channels + 2u) / 3u * 3u;
  if (index >= params.blocks * padded * 8u) {
    return;
  }
  let four = index / (padded * 8u) * 8u + index % 8u;
  let channel = index / 8u % padded;
  let exists = four < params.pitch && channel < params.channels;
  let from_at = min(channel, params.channels - 1u) * 9u * params.pitch + min(four, params.pitch - 1u);
  let c0 = column(from_at, 0u);
  let c1 = column(from_at, 1u);
  let c2 = column(from_at, 2u);
  // [blocks, padded, 36, 8]: index is already [blocks, padded, 8].
  let to_at = index / 8u * 288u + index % 8u;
  store(to_at, c0.u0, c1.u0, c2.u0, exists);
  store(to_at + 48u, c0.u1, c1.u1, c2.u1, exists);
  store(to_at + 96u, c0.u2, c1.u2, c2.u2, exists);
  store(to_at + 144u, c0.u3, c1.u3, c2.u3, exists);
  store(to_at + 192u, c0.u4, c1.u4, c2.u4, exists);
  store(to_at + 240u, c0.u5, c1.u5, c2.u5, exists);
}
