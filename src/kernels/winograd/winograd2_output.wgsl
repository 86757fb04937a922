// Winograd F(2x2, 3x3), third of three kernels: the output transform, with bias, activation and optional 2x2 max
// pooling.
//
//   sum    = A^T M[., o, t] A + bias[o]        the 2x2 outputs of tile t
//   output = max(sum, 0) + slope min(sum, 0);  with POOL the largest of the tile's four
//
// Shapes: product [16, stride / b, out_stride, b], b = block_tiles, as the product kernel leaves it, bias
// [out_stride], output [batch, out_channels, height, width], or half of both with POOL (an odd last row or column is
// dropped). Tiles are counted from `first` on. One of stored_*.wgsl stands in front of this text.
// One invocation a channel and tile. Reads 16 values, writes 4 (or 1); about 40 FLOP, in registers.

override POOL: bool;

struct Params {
  first: u32,
  tiles: u32,
  out_channels: u32,
  out_stride: u32,
  height: u32,
  width: u32,
  stride: u32,
  slope: f32,
  block_tiles: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> product: array<Stored>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

// A^T applied to four values.
fn transform(m0: f32, m1: f32, m2: f32, m3: f32) -> vec2f {
  return vec2f(m0 + m1 + m2, m1 - m2 - m3);
}

fn row(at: u32, step: u32) -> vec2f {
  return transform(
    load_m(product[at]),
    load_m(product[at + step]),
    load_m(product[at + 2u * step]),
    load_m(product[at + 3u * step]),
  );
}

fn activate(sum: vec2f) -> vec2f {
  return max(sum, vec2f(0)) + params.slope * min(sum, vec2f(0));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  let across = (params.width + 1u) / 2u;
  let down = (params.height + 1u) / 2u;
  if (index >= params.stride * params.out_stride) {
    return;
  }
  let slot = index / (params.block_tiles * params.out_stride) * params.block_tiles + index % params.block_tiles;
  let channel = index / params.block_tiles % params.out_stride;
  if (slot >= params.tiles || channel >= params.out_channels) {
    return;
  }
  let tile = params.first + slot;
  let step = params.out_stride * params.stride;
  let r0 = row(index, step);
  let r1 = row(index + 4u * step, step);
  let r2 = row(index + 8u * step, step);
  let r3 = row(index + 12u * step, step);
  let b = vec2f(bias[channel]);
  let left = activate(transform(r0.x, r1.x, r2.x, r3.x) + b);
  let right = activate(transform(r0.y, r1.y, r2.y, r3.y) + b);
  let plane = tile / (down * across) * params.out_channels + channel;
  let y = tile / across % down * 2u;
  let x = tile % across * 2u;
  if (POOL) {
    let height = params.height / 2u;
    let width = params.width / 2u;
    if (y / 2u < height && x / 2u < width) {
      let largest = max(left, right);
      output[(plane * height + y / 2u) * width + x / 2u] = max(largest.x, largest.y);
    }
    return;
  }
  let to = (plane * params.height + y) * params.width + x;
  output[to] = left.x;
  if (x + 1u < params.width) {
    output[to + 1u] = right.x;
  }
  if (y + 1u < params.height) {
    output[to + params.width] = left.y;
  }
  if (x + 1u < params.width && y + 1u < params.height) {
    output[to + params.width + 1u] = right.y;
  }
}
