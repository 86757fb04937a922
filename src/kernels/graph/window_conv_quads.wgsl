// Convolution over windows of any size and stride, in groups or not, bias, an addition and activation, in registers alone,
// shared among four invocations. For software adapters whose subgroups are quads, as SwiftShader's, or several of them.
//
//   sum[n, o, y, x]    = bias[o] + sum_(c, ky, kx) weights[o, c, ky, kx] pixels[n, c, y sy + ky - top, x sx + kx - left]
//   output[n, o, y, x] = activation(sum + added[n, o, y, x])        c in the group of o
//
// Shapes and pixels: window.wgsl.
// GEMM: M = out_channels, N = batch out_height out_width, K = in_channels kernel_height kernel_width; 2 M N K FLOPs for
// each group. A workgroup is one subgroup of LANES invocations, in fours. A quad computes 32 channels x 16 outputs: 8
// channels by all 16 outputs an invocation, four channels of the input at a time. Each invocation reads four of the 16
// outputs' pixels and gets the others' by swaps: 12 numbers read for 128 multiply-adds, whatever window and stride, where
// window_conv_registers has 24. winograd_product_quads.wgsl says why that pays. One beyond the last computes what the last
// does, and does not store it.

import package::graph::window::{Eight, bias, params, pixels_of, store, tap_of, windows_from};
import package::shared::weights::unpack;
import constants::LANES;

enable subgroups;

@group(0) @binding(2) var<storage, read> weights: array<Eight>;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(subgroup_invocation_id) invocation: u32,
) {
  let lane = invocation % 4u;
  let each = (params.out_channels + 7u) / 8u;
  let quads = (each + 3u) / 4u;
  let blocks = params.groups * quads;
  let jobs = (params.outputs + 15u) / 16u * blocks;
  let own = (workgroup.x + workgroup.y * workgroups.x) * (LANES / 4u) + invocation / 4u;
  let job = min(own, jobs - 1u);
  let group = job % blocks / quads;
  let own_block = job % quads * 4u + lane;
  let block = min(own_block, each - 1u);
  let first = job / blocks * 16u;
  let windows = windows_from(first + 4u * lane);
  let upper = bias[2u * (group * each + block)];
  let lower = bias[2u * (group * each + block) + 1u];
  // Sums of the four outputs, a column each, that invocation lane ^ i reads: channels 0 to 3, and 4 to 7.
  var head0 = mat4x4f(upper, upper, upper, upper);
  var tail0 = mat4x4f(lower, lower, lower, lower);
  var head1 = head0;
  var tail1 = tail0;
  var head2 = head0;
  var tail2 = tail0;
  var head3 = head0;
  var tail3 = tail0;
  let depth = (params.in_channels + 3u) / 4u * 4u;
  let taps = params.kernel_height * params.kernel_width;
  let last = (group + 1u) * params.in_channels - 1u;
  for (var t = 0u; t < taps; t++) {
    let ky = t / params.kernel_width;
    let tap = tap_of(windows, ky, t - ky * params.kernel_width);
    var k = (group * taps + t) * depth * each + block;
    for (var c = 0u; c < depth; c += 4u) {
      let w0 = weights[k];
      let w1 = weights[k + each];
      let w2 = weights[k + 2u * each];
      let w3 = weights[k + 3u * each];
      // Columns: four channels of the input, for an output channel or for an output.
      let head = transpose(mat4x4f(unpack(w0.head), unpack(w1.head), unpack(w2.head), unpack(w3.head)));
      let tail = transpose(mat4x4f(unpack(w0.tail), unpack(w1.tail), unpack(w2.tail), unpack(w3.tail)));
      // Beyond the last channel, that one again, with weights of zero.
      let channel = group * params.in_channels + c;
      let p = transpose(
        mat4x4f(
          pixels_of(tap, channel),
          pixels_of(tap, min(channel + 1u, last)),
          pixels_of(tap, min(channel + 2u, last)),
          pixels_of(tap, min(channel + 3u, last)),
        ),
      );
      head0 += mat4x4f(p[0] * head, p[1] * head, p[2] * head, p[3] * head);
      tail0 += mat4x4f(p[0] * tail, p[1] * tail, p[2] * tail, p[3] * tail);
      let x = mat4x4f(quadSwapX(p[0]), quadSwapX(p[1]), quadSwapX(p[2]), quadSwapX(p[3]));
      head1 += mat4x4f(x[0] * head, x[1] * head, x[2] * head, x[3] * head);
      tail1 += mat4x4f(x[0] * tail, x[1] * tail, x[2] * tail, x[3] * tail);
      let y = mat4x4f(quadSwapY(p[0]), quadSwapY(p[1]), quadSwapY(p[2]), quadSwapY(p[3]));
      head2 += mat4x4f(y[0] * head, y[1] * head, y[2] * head, y[3] * head);
      tail2 += mat4x4f(y[0] * tail, y[1] * tail, y[2] * tail, y[3] * tail);
      let z = mat4x4f(quadSwapDiagonal(p[0]), quadSwapDiagonal(p[1]), quadSwapDiagonal(p[2]), quadSwapDiagonal(p[3]));
      head3 += mat4x4f(z[0] * head, z[1] * head, z[2] * head, z[3] * head);
      tail3 += mat4x4f(z[0] * tail, z[1] * tail, z[2] * tail, z[3] * tail);
      k += 4u * each;
    }
  }
  let sums = array<mat4x4f, 8>(
    transpose(head0),
    transpose(tail0),
    transpose(head1),
    transpose(tail1),
    transpose(head2),
    transpose(tail2),
    transpose(head3),
    transpose(tail3),
  );
  if (own == job && own_block == block) {
    for (var i = 0u; i < 4u; i++) {
      let start = first + 4u * (lane ^ i);
      let there = windows_from(start);
      for (var j = 0u; j < min(8u, params.out_channels - 8u * block); j++) {
        store(sums[2u * i + j / 4u][j % 4u], start, there, group * params.out_channels + 8u * block + j);
      }
    }
  }
}
