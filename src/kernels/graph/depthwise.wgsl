// Depthwise convolution: a filter for each channel, over windows of any size and stride; bias, an addition, activation.
//
//   sum[n, o, y, x]    = bias[o] + sum_(ky, kx) weights[o, ky, kx] input[n, c, y sy + ky - top, x sx + kx - left]
//   output[n, o, y, x] = activation(sum + added[n, o, y, x])        c = o / multiple
//
// Shapes: input [batch, in_of, height, width], channels from in_first on; output [batch, out_of, out_height, out_width],
// channels from out_first on, and so `added`. weights [channels, pitch] Four, see packWindowConv; bias [channels], channels
// being those of the output, `multiple` for each of the input. Outside of the input is zero.
// An invocation computes 4 x 4 outputs of a channel. 2 FLOP a tap and output, so reads are what it takes: THREE is a
// window of 3 x 3, of which a row is read once for all outputs and taps that want it, 36 numbers at stride 1 and 81 at
// stride 2 for 144 multiply-adds. Other windows read a number a tap. One of 1 x 1 is a factor and a shift for each channel.

import package::shared::activation::activated4;
import package::shared::weights::{Four, unpack};

// The window is 3 x 3, and the stride 1 or 2 both ways.
override THREE: bool;
override STRIDE_ACROSS: u32;

struct Params {
  batch: u32,
  channels: u32,
  multiple: u32,
  height: u32,
  width: u32,
  out_height: u32,
  out_width: u32,
  kernel_height: u32,
  kernel_width: u32,
  stride_down: u32,
  top: u32,
  left: u32,
  in_first: u32,
  in_of: u32,
  out_first: u32,
  out_of: u32,
  activation: f32,
  @if(ends_added) added_first: u32,
  @if(ends_added) added_of: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<Four>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;
@if(ends_added) @group(0) @binding(5) var<storage, read> added: array<f32>;

// Reads the nearest pixel, then drops what is outside: cheaper than a branch.
fn pixel(plane: u32, y: i32, x: i32) -> f32 {
  let row = clamp(y, 0, i32(params.height) - 1);
  let column = clamp(x, 0, i32(params.width) - 1);
  let value = input[plane + u32(row) * params.width + u32(column)];
  return select(0.0, value, y == row && x == column);
}

// One tap under four outputs in a row.
fn pixels(plane: u32, y: i32, x: i32) -> vec4f {
  let across = i32(STRIDE_ACROSS);
  return vec4f(
    pixel(plane, y, x),
    pixel(plane, y, x + across),
    pixel(plane, y, x + 2 * across),
    pixel(plane, y, x + 3 * across),
  );
}

// What the three taps of a row of the window see under four outputs, in the columns: at stride 1, and at 2.
fn row_by_1(plane: u32, y: i32, x: i32) -> mat3x4f {
  let first = pixels(plane, y, x);
  let next = vec2f(pixel(plane, y, x + 4), pixel(plane, y, x + 5));
  return mat3x4f(first, vec4f(first.yzw, next.x), vec4f(first.zw, next));
}

fn row_by_2(plane: u32, y: i32, x: i32) -> mat3x4f {
  let first = pixels(plane, y, x);
  return mat3x4f(first, pixels(plane, y, x + 1), vec4f(first.yzw, pixel(plane, y, x + 8)));
}

// The four outputs from (y, x) on of a row, of which the last ones may not exist.
fn store(sum: vec4f, n: u32, channel: u32, y: u32, x: u32) {
  if (y < params.out_height) {
    let place = y * params.out_width + x;
    let plane = params.out_height * params.out_width;
    let count = params.out_width - x;
    var total = sum;
    // What is beyond the row is another row's, and is not stored.
    @if(ends_added) let there = (n * params.added_of + params.added_first + channel) * plane + place;
    @if(ends_added) total += vec4f(added[there], added[there + 1u], added[there + 2u], added[there + 3u]);
    let value = activated4(total, params.activation);
    let at = (n * params.out_of + params.out_first + channel) * plane + place;
    output[at] = value.x;
    if (count > 1u) {
      output[at + 1u] = value.y;
    }
    if (count > 2u) {
      output[at + 2u] = value.z;
    }
    if (count > 3u) {
      output[at + 3u] = value.w;
    }
  }
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let job = id.x + id.y * groups.x * 64u;
  let across = (params.out_width + 3u) / 4u;
  let down = (params.out_height + 3u) / 4u;
  if (job >= params.batch * params.channels * down * across) {
    return;
  }
  let column = job % across * 4u;
  let row = job / across % down * 4u;
  let channel = job / (across * down) % params.channels;
  let n = job / (across * down * params.channels);
  let source = params.in_first + channel / params.multiple;
  let plane = (n * params.in_of + source) * params.height * params.width;
  let x = i32(column * STRIDE_ACROSS) - i32(params.left);
  let y = i32(row * params.stride_down) - i32(params.top);
  let taps = params.kernel_height * params.kernel_width;
  let first_weight = channel * ((taps + 3u) / 4u);
  // Of four outputs in a row each.
  var sum0 = vec4f(bias[channel]);
  var sum1 = sum0;
  var sum2 = sum0;
  var sum3 = sum0;
  if (THREE) {
    let a = unpack(weights[first_weight]);
    let b = unpack(weights[first_weight + 1u]);
    let w0 = a.xyz;
    let w1 = vec3f(a.w, b.xy);
    let w2 = vec3f(b.zw, unpack(weights[first_weight + 2u]).x);
    if (STRIDE_ACROSS == 1u) {
      let r0 = row_by_1(plane, y, x);
      let r1 = row_by_1(plane, y + 1, x);
      let r2 = row_by_1(plane, y + 2, x);
      let r3 = row_by_1(plane, y + 3, x);
      let r4 = row_by_1(plane, y + 4, x);
      let r5 = row_by_1(plane, y + 5, x);
      sum0 += r0 * w0 + r1 * w1 + r2 * w2;
      sum1 += r1 * w0 + r2 * w1 + r3 * w2;
      sum2 += r2 * w0 + r3 * w1 + r4 * w2;
      sum3 += r3 * w0 + r4 * w1 + r5 * w2;
    } else {
      let r2 = row_by_2(plane, y + 2, x);
      let r4 = row_by_2(plane, y + 4, x);
      let r6 = row_by_2(plane, y + 6, x);
      sum0 += row_by_2(plane, y, x) * w0 + row_by_2(plane, y + 1, x) * w1 + r2 * w2;
      sum1 += r2 * w0 + row_by_2(plane, y + 3, x) * w1 + r4 * w2;
      sum2 += r4 * w0 + row_by_2(plane, y + 5, x) * w1 + r6 * w2;
      sum3 += r6 * w0 + row_by_2(plane, y + 7, x) * w1 + row_by_2(plane, y + 8, x) * w2;
    }
  } else {
    let step = i32(params.stride_down);
    var tap = 0u;
    for (var ky = 0; ky < i32(params.kernel_height); ky++) {
      let top = y + ky;
      for (var kx = 0; kx < i32(params.kernel_width); kx++) {
        let w = dot(unpack(weights[first_weight + tap / 4u]), vec4f(vec4u(tap % 4u) == vec4u(0, 1, 2, 3)));
        sum0 += w * pixels(plane, top, x + kx);
        sum1 += w * pixels(plane, top + step, x + kx);
        sum2 += w * pixels(plane, top + 2 * step, x + kx);
        sum3 += w * pixels(plane, top + 3 * step, x + kx);
        tap++;
      }
    }
  }
  store(sum0, n, channel, row, column);
  store(sum1, n, channel, row + 1u, column);
  store(sum2, n, channel, row + 2u, column);
  store(sum3, n, channel, row + 3u, column);
}
