// Convolution over windows of any size and stride, in groups or not, bias, an addition and activation, in registers
// alone: no workgroup memory and no barrier, which are what a software adapter is slowest at.
//
//   sum[n, o, y, x]    = bias[o] + sum_(c, ky, kx) weights[o, c, ky, kx] pixels[n, c, y sy + ky - top, x sx + kx - left]
//   output[n, o, y, x] = activation(sum + added[n, o, y, x])        c in the group of o
//
// Shapes and pixels: window.wgsl.
// GEMM: M = out_channels, N = batch out_height out_width, K = in_channels kernel_height kernel_width; 2 M N K FLOPs for
// each group. An invocation computes 8 channels x 16 outputs: 24 numbers read for 128 multiply-adds, whatever window and
// stride. Neighbours take neighbouring channels of the same outputs. One channel of the input at a time: two took 1.7 times
// as long for the three of a colour picture (SwiftShader, 2 cores).

import package::graph::window::{Eight, Tap, bias, params, pixels_of, store, tap_of, windows_from};
import package::shared::weights::unpack;

@group(0) @binding(2) var<storage, read> weights: array<Eight>;

// Sixteen outputs.
fn pixels16(a: Tap, b: Tap, c: Tap, d: Tap, channel: u32) -> mat4x4f {
  return mat4x4f(pixels_of(a, channel), pixels_of(b, channel), pixels_of(c, channel), pixels_of(d, channel));
}

@compute @workgroup_size(16)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let job = id.x + id.y * groups.x * 16u;
  let each = (params.out_channels + 7u) / 8u;
  let blocks = params.groups * each;
  let first = job / blocks * 16u;
  if (first >= params.outputs) {
    return;
  }
  let block = job % blocks;
  let group = block / each;
  let a = windows_from(first);
  let b = windows_from(first + 4u);
  let c = windows_from(first + 8u);
  let d = windows_from(first + 12u);
  let upper = bias[2u * block];
  let lower = bias[2u * block + 1u];
  let ones = mat4x4f(vec4f(1), vec4f(1), vec4f(1), vec4f(1));
  var sum0 = upper.x * ones;
  var sum1 = upper.y * ones;
  var sum2 = upper.z * ones;
  var sum3 = upper.w * ones;
  var sum4 = lower.x * ones;
  var sum5 = lower.y * ones;
  var sum6 = lower.z * ones;
  var sum7 = lower.w * ones;
  let depth = (params.in_channels + 3u) / 4u * 4u;
  let taps = params.kernel_height * params.kernel_width;
  let last = (group + 1u) * params.in_channels - 1u;
  for (var tap = 0u; tap < taps; tap++) {
    let ky = tap / params.kernel_width;
    let kx = tap % params.kernel_width;
    let tap_a = tap_of(a, ky, kx);
    let tap_b = tap_of(b, ky, kx);
    let tap_c = tap_of(c, ky, kx);
    let tap_d = tap_of(d, ky, kx);
    var k = (group * taps + tap) * depth * each + block % each;
    for (var channel = group * params.in_channels; channel <= last; channel++) {
      let p = pixels16(tap_a, tap_b, tap_c, tap_d, channel);
      let eight = weights[k];
      let u = unpack(eight.head);
      let v = unpack(eight.tail);
      sum0 += u.x * p;
      sum1 += u.y * p;
      sum2 += u.z * p;
      sum3 += u.w * p;
      sum4 += v.x * p;
      sum5 += v.y * p;
      sum6 += v.z * p;
      sum7 += v.w * p;
      k += each;
    }
  }
  let sums = array<mat4x4f, 8>(sum0, sum1, sum2, sum3, sum4, sum5, sum6, sum7);
  let start = block % each * 8u;
  for (var i = 0u; i < min(8u, params.out_channels - start); i++) {
    let channel = group * params.out_channels + start + i;
    let sum = sums[i];
    store(sum[0], first, a, channel);
    store(sum[1], first + 4u, b, channel);
    store(sum[2], first + 8u, c, channel);
    store(sum[3], first + 12u, d, channel);
  }
}
