// What convolutions over windows of any size and stride have in common: sizes, tensors that are channels of larger ones,
// where the windows of outputs lie, and what stands under them, of a tensor or of one image under many masks.
//
//   plain    input [batch, in_of, height, width], channels from in_first on
//   masked   image[c, y, x] mask_m[y, x]
//            mask_m[y, x] = (up_m[y, x] - min) / (max - min), min and max from ranges
//            up_m[y, x] = map channels[first_mask + m], bilinearly upsampled to the image's size
//
// Shapes: output [batch, out_of, out_height, out_width], channels from out_first on, and so `added`; image
// [in_channels groups, height, width], maps [K, map_height, map_width], ranges [K] (min, max). Outside of the input is
// zero, and so is the mask of a constant map (max = min).
// Sizes are uniforms, so that a network needs one pipeline of a kernel.

import package::shared::activation::activated4;
import package::shared::bilinear::bilinear_positions;
import package::shared::weights::Four;

struct Params {
  // batch out_height out_width
  outputs: u32,
  groups: u32,
  // Of a group.
  in_channels: u32,
  out_channels: u32,
  height: u32,
  width: u32,
  out_height: u32,
  out_width: u32,
  kernel_height: u32,
  kernel_width: u32,
  stride_down: u32,
  stride_across: u32,
  top: u32,
  left: u32,
  in_first: u32,
  in_of: u32,
  out_first: u32,
  out_of: u32,
  activation: f32,
  @if(ends_added) added_first: u32,
  @if(ends_added) added_of: u32,
  @if(pixels_masked) first_mask: u32,
  @if(pixels_masked) map_height: u32,
  @if(pixels_masked) map_width: u32,
  @if(pixels_masked) align_corners: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
// [groups, out_channels rounded up to 8]; the weights, which each kernel reads in its own way, are [groups, kernel_height
// kernel_width, in_channels rounded up to 4, out_channels rounded up to 8], see packWindowConv.
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;
@if(ends_added) @group(0) @binding(5) var<storage, read> added: array<f32>;
@if(pixels_masked) @group(0) @binding(5) var<storage, read> maps: array<f32>;
@if(pixels_masked) @group(0) @binding(6) var<storage, read> ranges: array<vec2f>;
@if(pixels_masked) @group(0) @binding(7) var<storage, read> channels: array<u32>;

// Weights of eight channels.
struct Eight {
  head: Four,
  tail: Four,
}

// Of four outputs that follow each other, and in a batch one image another: the image, the place in its plane, the first row and
// column of the window, and where it begins in the first channel. All of the latter may be above or left of the input; they
// are unsigned then, and huge.
struct Windows {
  image: vec4u,
  place: vec4u,
  y: vec4u,
  x: vec4u,
  start: vec4u,
  // Of the mask: where its map begins, the map's least value, and 1 / (max - min).
  @if(pixels_masked) map: vec4u,
  @if(pixels_masked) least: vec4f,
  @if(pixels_masked) scale: vec4f,
}

// Outputs beyond the last are the last one.
fn windows_from(first: u32) -> Windows {
  let i = min(first + vec4u(0, 1, 2, 3), vec4u(params.outputs - 1u));
  let plane = params.out_height * params.out_width;
  let image = i / plane;
  let place = i - image * plane;
  let row = place / params.out_width;
  let y = row * params.stride_down - params.top;
  let x = (place - row * params.out_width) * params.stride_across - params.left;
  @if(pixels_plain)
  return Windows(image, place, y, x, (image * (params.in_of * params.height) + y) * params.width + x);
  @if(pixels_masked) return masked(image, place, y, x);
}

@if(pixels_masked)
fn masked(image: vec4u, place: vec4u, y: vec4u, x: vec4u) -> Windows {
  let m = image + params.first_mask;
  let map = vec4u(channels[m.x], channels[m.y], channels[m.z], channels[m.w]);
  let range = transpose(mat4x2f(ranges[map.x], ranges[map.y], ranges[map.z], ranges[map.w]));
  let extent = range[1] - range[0];
  let scale = select(vec4f(0), 1.0 / extent, extent > vec4f(0));
  let start = y * params.width + x;
  return Windows(image, place, y, x, start, map * (params.map_height * params.map_width), range[0], scale);
}

// What is under one position of the four windows: where in the first channel, and how much of it counts.
struct Tap {
  at: vec4u,
  @if(pixels_plain) inside: vec4<bool>,
  @if(pixels_masked) mask: vec4f,
}

// Outside of the input stands anything, which does not count.
fn tap_of(windows: Windows, ky: u32, kx: u32) -> Tap {
  let row = windows.y + ky;
  let column = windows.x + kx;
  let inside = (row < vec4u(params.height)) & (column < vec4u(params.width));
  let at = windows.start + (ky * params.width + kx);
  @if(pixels_plain) return Tap(at, inside);
  @if(pixels_masked)
  return Tap(at, select(vec4f(0), mask_at(windows, vec4f(vec4i(row)), vec4f(vec4i(column))), inside));
}

@if(pixels_masked)
fn mask_at(windows: Windows, row: vec4f, column: vec4f) -> vec4f {
  let corners = params.align_corners != 0u;
  let y = bilinear_positions(row, params.map_height, params.height, corners);
  let x = bilinear_positions(column, params.map_width, params.width, corners);
  let left = vec4u(x);
  let right = min(left + 1u, vec4u(params.map_width - 1u));
  let upper = windows.map + vec4u(y) * params.map_width;
  let lower = windows.map + min(vec4u(y) + 1u, vec4u(params.map_height - 1u)) * params.map_width;
  let top = mix(samples(upper + left), samples(upper + right), fract(x));
  let bottom = mix(samples(lower + left), samples(lower + right), fract(x));
  return (mix(top, bottom, fract(y)) - windows.least) * windows.scale;
}

@if(pixels_masked)
fn samples(at: vec4u) -> vec4f {
  return vec4f(maps[at.x], maps[at.y], maps[at.z], maps[at.w]);
}

// What stands under a tap in a channel, whether or not it counts.
fn values_of(tap: Tap, channel: u32) -> vec4f {
  let at = tap.at + (params.in_first + channel) * params.height * params.width;
  return vec4f(input[at.x], input[at.y], input[at.z], input[at.w]);
}

// What of it counts. Dropped when it has been read: cheaper than a branch.
fn counted(values: vec4f, tap: Tap) -> vec4f {
  @if(pixels_plain) return select(vec4f(0), values, tap.inside);
  @if(pixels_masked) return values * tap.mask;
}

fn pixels_of(tap: Tap, channel: u32) -> vec4f {
  return counted(values_of(tap, channel), tap);
}

// The four outputs from `first` on of a channel. Beyond the last output, the last one is written again.
fn store(sum: vec4f, first: u32, windows: Windows, channel: u32) {
  if (first >= params.outputs) {
    return;
  }
  var total = sum;
  let plane = params.out_height * params.out_width;
  @if(ends_added) let there = (windows.image * params.added_of + params.added_first + channel) * plane + windows.place;
  @if(ends_added) total += vec4f(added[there.x], added[there.y], added[there.z], added[there.w]);
  let value = activated4(total, params.activation);
  let at = (windows.image * params.out_of + params.out_first + channel) * plane + windows.place;
  output[at.x] = value.x;
  output[at.y] = value.y;
  output[at.z] = value.z;
  output[at.w] = value.w;
}
