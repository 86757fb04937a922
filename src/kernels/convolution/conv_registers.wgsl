// Convolution, bias, activation and optional 2x2 max pooling in registers alone: no workgroup memory
// and no barrier, which are what a software adapter is slowest at. Made for SwiftShader.
//
// Of a tensor, or of one image under many masks, of which no masked image is ever stored: patch_pixels.wgsl
// reads either.
//
//   sum[n, o, y, x]    = bias[o] + sum_(c, ky, kx) weights[c, ky, kx, o] pixels[n, c, y + ky - p, x + kx - p]
//   output[n, o, y, x] = activation(sum)      p = (KERNEL - 1) / 2; or activation(sum + added[n, o, y, x])
//   with POOL: output[n, o, y, x] = the largest of the four at (2 y, 2 x) .. (2 y + 1, 2 x + 1)
//
// Shapes: pixels [batch, in_channels, height, width], output [batch, out_channels, height, width] or, with POOL,
// [batch, out_channels, floor(height / 2), floor(width / 2)]; stride 1; outside the image is zero.
// Of a larger output [batch, out_of, ...] it is the channels from out_first on; and so of `added` [batch, added_of, height,
// width].
// Weights [in_channels KERNEL KERNEL, stride / 4] Four, see packConv: the stride is out_channels
// rounded up to 8, so a read is never out of bounds and needs no check.
//
// GEMM: M = out_channels, N = batch height width, K = in_channels KERNEL^2; 2 M N K FLOPs.
// Every invocation computes a patch of 2 rows x 14 columns x 8 channels in 56 vec4f of registers. All
// loops over the patch are written out, because SwiftShader keeps a variable in registers (or at least
// at a fixed address) only if every index into it is a constant; a loop over ky was 1.4 times slower.
// 14 divides every width of a VGG network, and 2 x 14 holds whole pooling quads. For each input channel
// an invocation reads 4 x 16 pixels and 9 x 8 weights for 2016 multiply-adds: 0.27 bytes each. Places are patches,
// 16 of whose blocks of 8 channels are a workgroup: all of them, or those listed.
//
// Sizes are uniforms here, not overrides: one pipeline takes SwiftShader about a second to compile, and
// so a network needs one or two of them. The inner loop has no use for the constants.
// Preconditions: KERNEL 1 or 3; activations are monotone where POOL; fewer than 2^31 elements a tensor.

import package::convolution::patch_pixels::{load, plane_of, window_at};
import package::shared::activation::{BOUNDED, NOT_FINITE, rectified4};
import package::shared::places::place_of;
import package::shared::weights::{Four, unpack};

override KERNEL: u32;
override POOL: bool;

struct Params {
  places: u32,
  in_channels: u32,
  out_channels: u32,
  height: u32,
  width: u32,
  activation: f32,
  out_first: u32,
  out_of: u32,
  @if(ends_added) added_first: u32,
  @if(ends_added) added_of: u32,
  @if(pixels_masked) first_mask: u32,
  @if(pixels_masked) map_height: u32,
  @if(pixels_masked) map_width: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> weights: array<Four>;
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;
@if(ends_added) @group(0) @binding(5) var<storage, read> added: array<f32>;

// Up to four planes of the output, of which `count` exist.
struct Plane {
  start: u32,
  height: u32,
  width: u32,
  count: u32,
}

fn add_taps(sums: ptr<function, array<vec4f, 14>>, w0: vec4f, w1: vec4f, w2: vec4f, x: array<f32, 16>) {
  (*sums)[0] += w0 * x[0] + w1 * x[1] + w2 * x[2];
  (*sums)[1] += w0 * x[1] + w1 * x[2] + w2 * x[3];
  (*sums)[2] += w0 * x[2] + w1 * x[3] + w2 * x[4];
  (*sums)[3] += w0 * x[3] + w1 * x[4] + w2 * x[5];
  (*sums)[4] += w0 * x[4] + w1 * x[5] + w2 * x[6];
  (*sums)[5] += w0 * x[5] + w1 * x[6] + w2 * x[7];
  (*sums)[6] += w0 * x[6] + w1 * x[7] + w2 * x[8];
  (*sums)[7] += w0 * x[7] + w1 * x[8] + w2 * x[9];
  (*sums)[8] += w0 * x[8] + w1 * x[9] + w2 * x[10];
  (*sums)[9] += w0 * x[9] + w1 * x[10] + w2 * x[11];
  (*sums)[10] += w0 * x[10] + w1 * x[11] + w2 * x[12];
  (*sums)[11] += w0 * x[11] + w1 * x[12] + w2 * x[13];
  (*sums)[12] += w0 * x[12] + w1 * x[13] + w2 * x[14];
  (*sums)[13] += w0 * x[13] + w1 * x[14] + w2 * x[15];
}

fn add_point(sums: ptr<function, array<vec4f, 14>>, w: vec4f, x: array<f32, 16>) {
  (*sums)[0] += w * x[1];
  (*sums)[1] += w * x[2];
  (*sums)[2] += w * x[3];
  (*sums)[3] += w * x[4];
  (*sums)[4] += w * x[5];
  (*sums)[5] += w * x[6];
  (*sums)[6] += w * x[7];
  (*sums)[7] += w * x[8];
  (*sums)[8] += w * x[9];
  (*sums)[9] += w * x[10];
  (*sums)[10] += w * x[11];
  (*sums)[11] += w * x[12];
  (*sums)[12] += w * x[13];
  (*sums)[13] += w * x[14];
}

fn filled(b: vec4f) -> array<vec4f, 14> {
  return array<vec4f, 14>(b, b, b, b, b, b, b, b, b, b, b, b, b, b);
}

// What is added to a pixel of four channels; what does not exist is read from elsewhere, and not stored.
@if(ends_added)
fn added4(at: u32) -> vec4f {
  let size = params.height * params.width;
  return vec4f(added[at], added[at + size], added[at + 2u * size], added[at + 3u * size]);
}

@if(ends_added)
fn with_added(b: vec4f, n: u32, channel: u32, y: u32, x: u32) -> array<vec4f, 14> {
  let at = ((n * params.added_of + params.added_first + channel) * params.height + y) * params.width + x;
  return array<vec4f, 14>(
    b + added4(at + 0u),
    b + added4(at + 1u),
    b + added4(at + 2u),
    b + added4(at + 3u),
    b + added4(at + 4u),
    b + added4(at + 5u),
    b + added4(at + 6u),
    b + added4(at + 7u),
    b + added4(at + 8u),
    b + added4(at + 9u),
    b + added4(at + 10u),
    b + added4(at + 11u),
    b + added4(at + 12u),
    b + added4(at + 13u),
  );
}

// One element of four channels, of which the last ones may not exist.
fn store(sum: vec4f, plane: Plane, y: u32, x: u32) {
  if (y >= plane.height || x >= plane.width) {
    return;
  }
  let value = rectified4(sum, params.activation);
  let size = plane.height * plane.width;
  let at = plane.start + y * plane.width + x;
  output[at] = value.x;
  if (plane.count > 1u) {
    output[at + size] = value.y;
  }
  if (plane.count > 2u) {
    output[at + 2u * size] = value.z;
  }
  if (plane.count > 3u) {
    output[at + 3u * size] = value.w;
  }
}

fn store_row(sums: array<vec4f, 14>, plane: Plane, y: u32, x: u32) {
  store(sums[0], plane, y, x + 0u);
  store(sums[1], plane, y, x + 1u);
  store(sums[2], plane, y, x + 2u);
  store(sums[3], plane, y, x + 3u);
  store(sums[4], plane, y, x + 4u);
  store(sums[5], plane, y, x + 5u);
  store(sums[6], plane, y, x + 6u);
  store(sums[7], plane, y, x + 7u);
  store(sums[8], plane, y, x + 8u);
  store(sums[9], plane, y, x + 9u);
  store(sums[10], plane, y, x + 10u);
  store(sums[11], plane, y, x + 11u);
  store(sums[12], plane, y, x + 12u);
  store(sums[13], plane, y, x + 13u);
}

fn largest(a: vec4f, b: vec4f, c: vec4f, d: vec4f) -> vec4f {
  return max(max(a, b), max(c, d));
}

fn store_pooled(upper: array<vec4f, 14>, lower: array<vec4f, 14>, plane: Plane, y: u32, x: u32) {
  store(largest(upper[0], upper[1], lower[0], lower[1]), plane, y, x + 0u);
  store(largest(upper[2], upper[3], lower[2], lower[3]), plane, y, x + 1u);
  store(largest(upper[4], upper[5], lower[4], lower[5]), plane, y, x + 2u);
  store(largest(upper[6], upper[7], lower[6], lower[7]), plane, y, x + 3u);
  store(largest(upper[8], upper[9], lower[8], lower[9]), plane, y, x + 4u);
  store(largest(upper[10], upper[11], lower[10], lower[11]), plane, y, x + 5u);
  store(largest(upper[12], upper[13], lower[12], lower[13]), plane, y, x + 6u);
}

// Not finite where one of them is not.
fn total(s: array<vec4f, 14>) -> vec4f {
  let first = ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
  return first + (((s[8] + s[9]) + (s[10] + s[11])) + (s[12] + s[13]));
}

// Infinity in the patch's first element, for each channel whose sums are not all finite.
fn store_infinite(total: vec4f, plane: Plane, y: u32, x: u32) {
  let exponents = bitcast<vec4u>(total) & vec4u(NOT_FINITE);
  let found = exponents == vec4u(NOT_FINITE);
  if (!any(found) || y >= plane.height || x >= plane.width) {
    return;
  }
  let size = plane.height * plane.width;
  let at = plane.start + y * plane.width + x;
  if (found.x) {
    output[at] = bitcast<f32>(exponents.x);
  }
  if (found.y && plane.count > 1u) {
    output[at + size] = bitcast<f32>(exponents.y);
  }
  if (found.z && plane.count > 2u) {
    output[at + 2u * size] = bitcast<f32>(exponents.z);
  }
  if (found.w && plane.count > 3u) {
    output[at + 3u * size] = bitcast<f32>(exponents.w);
  }
}

// Four channels of the patch. Pooling the sums is pooling the activations: activation is monotone.
fn store_patch(
  upper: array<vec4f, 14>,
  lower: array<vec4f, 14>,
  n: u32,
  channel: u32,
  y: u32,
  x: u32,
) {
  if (channel >= params.out_channels) {
    return;
  }
  let height = select(params.height, params.height / 2u, POOL);
  let width = select(params.width, params.width / 2u, POOL);
  let start = (n * params.out_of + params.out_first + channel) * height * width;
  let plane = Plane(start, height, width, params.out_channels - channel);
  if (POOL) {
    store_pooled(upper, lower, plane, y / 2u, x / 2u);
  } else {
    store_row(upper, plane, y, x);
    store_row(lower, plane, y + 1u, x);
  }
  if (!BOUNDED) {
    let scale = select(1u, 2u, POOL);
    store_infinite(total(upper) + total(lower), plane, y / scale, x / scale);
  }
}

@compute @workgroup_size(16)
fn main(@builtin(global_invocation_id) id: vec3u) {
  // One linear index over everything, so that no lane idles at the end of a row. Channel blocks vary
  // fastest: neighbouring lanes read the same pixels and neighbouring weights.
  let blocks = (params.out_channels + 7u) / 8u;
  let across = (params.width + 13u) / 14u;
  let down = (params.height + 1u) / 2u;
  if (id.x >= params.places * blocks) {
    return;
  }
  let block = id.x % blocks;
  let place = place_of(id.x / blocks);
  let x = i32(place % across * 14u);
  let y = i32(place / across % down * 2u);
  let n = place / (across * down);
  let window = window_at(n, y, x);

  // a: channels 0 to 3 of the block, b: channels 4 to 7.
  var upper_a = filled(bias[2u * block]);
  var lower_a = upper_a;
  var upper_b = filled(bias[2u * block + 1u]);
  var lower_b = upper_b;
  @if(ends_added) {
    upper_a = with_added(bias[2u * block], n, 8u * block, u32(y), u32(x));
    lower_a = with_added(bias[2u * block], n, 8u * block, u32(y) + 1u, u32(x));
    upper_b = with_added(bias[2u * block + 1u], n, 8u * block + 4u, u32(y), u32(x));
    lower_b = with_added(bias[2u * block + 1u], n, 8u * block + 4u, u32(y) + 1u, u32(x));
  }
  let stride = 2u * blocks;
  var k = 2u * block;
  var w0: vec4f;
  var w1: vec4f;
  var w2: vec4f;
  for (var channel = 0u; channel < params.in_channels; channel++) {
    let plane = plane_of(n, channel);
    let row1 = load(plane, window.first, window.columns);
    let row2 = load(plane, window.second, window.columns);
    if (KERNEL == 1u) {
      w0 = unpack(weights[k]);
      w1 = unpack(weights[k + 1u]);
      add_point(&upper_a, w0, row1);
      add_point(&lower_a, w0, row2);
      add_point(&upper_b, w1, row1);
      add_point(&lower_b, w1, row2);
      k += stride;
    } else {
      let row0 = load(plane, window.above, window.columns);
      let row3 = load(plane, window.below, window.columns);
      w0 = unpack(weights[k]);
      w1 = unpack(weights[k + stride]);
      w2 = unpack(weights[k + 2u * stride]);
      add_taps(&upper_a, w0, w1, w2, row0);
      add_taps(&lower_a, w0, w1, w2, row1);
      w0 = unpack(weights[k + 1u]);
      w1 = unpack(weights[k + stride + 1u]);
      w2 = unpack(weights[k + 2u * stride + 1u]);
      add_taps(&upper_b, w0, w1, w2, row0);
      add_taps(&lower_b, w0, w1, w2, row1);
      w0 = unpack(weights[k + 3u * stride]);
      w1 = unpack(weights[k + 4u * stride]);
      w2 = unpack(weights[k + 5u * stride]);
      add_taps(&upper_a, w0, w1, w2, row1);
      add_taps(&lower_a, w0, w1, w2, row2);
      w0 = unpack(weights[k + 3u * stride + 1u]);
      w1 = unpack(weights[k + 4u * stride + 1u]);
      w2 = unpack(weights[k + 5u * stride + 1u]);
      add_taps(&upper_b, w0, w1, w2, row1);
      add_taps(&lower_b, w0, w1, w2, row2);
      w0 = unpack(weights[k + 6u * stride]);
      w1 = unpack(weights[k + 7u * stride]);
      w2 = unpack(weights[k + 8u * stride]);
      add_taps(&upper_a, w0, w1, w2, row2);
      add_taps(&lower_a, w0, w1, w2, row3);
      w0 = unpack(weights[k + 6u * stride + 1u]);
      w1 = unpack(weights[k + 7u * stride + 1u]);
      w2 = unpack(weights[k + 8u * stride + 1u]);
      add_taps(&upper_b, w0, w1, w2, row2);
      add_taps(&lower_b, w0, w1, w2, row3);
      k += 9u * stride;
    }
  }
  store_patch(upper_a, lower_a, n, 8u * block, u32(y), u32(x));
  store_patch(upper_b, lower_b, n, 8u * block + 4u, u32(y), u32(x));
}
