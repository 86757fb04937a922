// Winograd F(4x4, 3x3), third of three kernels: the output transform, with bias, activation and optional
// 2x2 max pooling.
//
//   sum    = A^T M[., o, t] A + bias[o]        the 4x4 outputs of tile t
//   output = activation(sum);  with ADDED activation(sum + added);  with POOL the largest of each 2x2 of the tile
//
// Shapes: product [36, stride / b, out_stride, b], b = block_tiles, as the product kernels leave it (winograd_input
// says what a block is), bias [out_stride], output [batch, out_channels, height, width], or half of both with POOL
// (an odd last row or column is dropped), or the channels from out_first on of [batch, out_of, ...]; and so `added`
// [batch, added_of, height, width].
// All tiles, or those listed, from place `first` on.
// One invocation a channel and tile. Reads 36 f32, writes 16 (or 4); about 150 FLOP, in registers.

import package::shared::activation::{BOUNDED, NOT_FINITE, rectified4};
import package::shared::places::place_of;
import package::winograd::stored::{Stored, load_m};
import package::winograd::transforms::transform_product;

override POOL: bool;
override ADDED: bool;
// Whether all tiles lie in the image whole: four in a row are stored at once then.
override WHOLE: bool;

struct Params {
  first: u32,
  tiles: u32,
  out_channels: u32,
  out_stride: u32,
  height: u32,
  width: u32,
  stride: u32,
  activation: f32,
  block_tiles: u32,
  out_first: u32,
  out_of: u32,
  added_first: u32,
  added_of: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> product: array<Stored>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
@group(0) @binding(4) var<storage, read> added: array<f32>;

fn row(at: u32, step: u32) -> vec4f {
  return transform_product(
    load_m(product[at]),
    load_m(product[at + step]),
    load_m(product[at + 2u * step]),
    load_m(product[at + 3u * step]),
    load_m(product[at + 4u * step]),
    load_m(product[at + 5u * step]),
  );
}

// A column of the tile; what is beyond the image is read from elsewhere, and not stored.
fn added_from(at: u32) -> vec4f {
  let width = params.width;
  return vec4f(added[at], added[at + width], added[at + 2u * width], added[at + 3u * width]);
}

fn store_row(plane: u32, y: u32, x: u32, values: vec4f) {
  if (!WHOLE && y >= params.height) {
    return;
  }
  let at = (plane * params.height + y) * params.width + x;
  let count = params.width - x;
  output[at] = values.x;
  if (WHOLE || count > 1u) {
    output[at + 1u] = values.y;
  }
  if (WHOLE || count > 2u) {
    output[at + 2u] = values.z;
  }
  if (WHOLE || count > 3u) {
    output[at + 3u] = values.w;
  }
}

fn store_pooled(plane: u32, y: u32, x: u32, upper: vec4f, lower: vec4f) {
  let height = params.height / 2u;
  let width = params.width / 2u;
  let largest = max(upper, lower);
  let at = (plane * height + y) * width + x;
  if (WHOLE || (y < height && x < width)) {
    output[at] = max(largest.x, largest.y);
  }
  if (WHOLE || (y < height && x + 1u < width)) {
    output[at + 1u] = max(largest.z, largest.w);
  }
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  let across = (params.width + 3u) / 4u;
  let down = (params.height + 3u) / 4u;
  if (index >= params.stride * params.out_stride) {
    return;
  }
  let slot = index / (params.block_tiles * params.out_stride) * params.block_tiles + index % params.block_tiles;
  let channel = index / params.block_tiles % params.out_stride;
  if (slot >= params.tiles || channel >= params.out_channels) {
    return;
  }
  let tile = place_of(params.first + slot);
  let step = params.out_stride * params.stride;
  let r0 = row(index, step);
  let r1 = row(index + 6u * step, step);
  let r2 = row(index + 12u * step, step);
  let r3 = row(index + 18u * step, step);
  let r4 = row(index + 24u * step, step);
  let r5 = row(index + 30u * step, step);
  let image = tile / (down * across);
  let y = tile / across % down * 4u;
  let x = tile % across * 4u;
  let b = vec4f(bias[channel]);
  var ends = mat4x4f(b, b, b, b);
  if (ADDED) {
    let at = ((image * params.added_of + params.added_first + channel) * params.height + y) * params.width + x;
    ends += mat4x4f(added_from(at), added_from(at + 1u), added_from(at + 2u), added_from(at + 3u));
  }
  // One column of the tile each: the four rows of it.
  let c0 = transform_product(r0.x, r1.x, r2.x, r3.x, r4.x, r5.x) + ends[0];
  let c1 = transform_product(r0.y, r1.y, r2.y, r3.y, r4.y, r5.y) + ends[1];
  let c2 = transform_product(r0.z, r1.z, r2.z, r3.z, r4.z, r5.z) + ends[2];
  let c3 = transform_product(r0.w, r1.w, r2.w, r3.w, r4.w, r5.w) + ends[3];
  let columns = mat4x4f(
    rectified4(c0, params.activation),
    rectified4(c1, params.activation),
    rectified4(c2, params.activation),
    rectified4(c3, params.activation),
  );
  var rows = transpose(columns);
  if (!BOUNDED) {
    // Of a tile that is not finite everywhere, all; what is added beyond the image belongs to the same tensor.
    let exponent = bitcast<u32>(dot(c0 + c1 + c2 + c3, vec4f(1))) & NOT_FINITE;
    if (exponent == NOT_FINITE) {
      let all = vec4f(bitcast<f32>(exponent));
      rows = mat4x4f(all, all, all, all);
    }
  }
  let plane = image * params.out_of + params.out_first + channel;
  if (POOL) {
    store_pooled(plane, y / 2u, x / 2u, rows[0], rows[1]);
    store_pooled(plane, y / 2u + 1u, x / 2u, rows[2], rows[3]);
  } else {
    store_row(plane, y, x, rows[0]);
    store_row(plane, y + 1u, x, rows[1]);
    store_row(plane, y + 2u, x, rows[2]);
    store_row(plane, y + 3u, x, rows[3]);
  }
}
