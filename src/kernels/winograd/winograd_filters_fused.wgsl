// Winograd F(2x2, 3x3), before the kernel of the convolution itself: the filter transform (Lavin and Gray 2016, section
// 4.1).
//
//   U[., c, o] = G g G^T        g: the 3x3 filter from input channel c to output channel o
//   G = [1 0 0; 1/2 1/2 1/2; 1/2 -1/2 1/2; 0 0 1]
//
// Shapes: weights [channels 3 3, pitch] Four, see packConv: 4 pitch is the output channels rounded up to 8; filters U
// [blocks of 32 output channels, steps of 4 input channels, 4, 16, 32], written four at a time: what a workgroup of
// winograd_fused.wgsl takes in a step stands in a row. What lies beyond the last channels is zero.
// One invocation an input channel and four output channels, neighbours on neighbouring outputs. Reads 9 Four and writes
// 16 vec4; about 50 vec4f operations, in registers.
// Preconditions: kernel 3, fewer than 2^31 elements.

import package::shared::weights::{Four, unpack};
import package::winograd::stored::{Stored4, store_u};

struct Params {
  channels: u32,
  pitch: u32,
  blocks: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> weights: array<Four>;
@group(0) @binding(2) var<storage, read_write> filters: array<Stored4>;

fn transform(g0: vec4f, g1: vec4f, g2: vec4f) -> array<vec4f, 4> {
  let outer = 0.5 * (g0 + g2);
  let middle = 0.5 * g1;
  return array<vec4f, 4>(g0, outer + middle, outer - middle, g2);
}

fn column(at: u32, x: u32) -> array<vec4f, 4> {
  return transform(
    unpack(weights[at + x * params.pitch]),
    unpack(weights[at + (x + 3u) * params.pitch]),
    unpack(weights[at + (x + 6u) * params.pitch]),
  );
}

// Row i of U, from the three values of row i of G g.
fn store(at: u32, i: u32, g0: vec4f, g1: vec4f, g2: vec4f, exists: bool) {
  let row = transform(g0, g1, g2);
  filters[at + 32u * i] = store_u(select(vec4f(0), row[0], exists));
  filters[at + 32u * i + 8u] = store_u(select(vec4f(0), row[1], exists));
  filters[at + 32u * i + 16u] = store_u(select(vec4f(0), row[2], exists));
  filters[at + 32u * i + 24u] = store_u(select(vec4f(0), row[3], exists));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  let padded = (params.channels + 3u) / 4u * 4u;
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
  // [blocks, padded, 16, 8]: index is already [blocks, padded, 8].
  let to_at = index / 8u * 128u + index % 8u;
  store(to_at, 0u, c0[0], c1[0], c2[0], exists);
  store(to_at, 1u, c0[1], c1[1], c2[1], exists);
  store(to_at, 2u, c0[2], c1[2], c2[2], exists);
  store(to_at, 3u, c0[3], c1[3], c2[3], exists);
}
