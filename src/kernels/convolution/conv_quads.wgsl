// Convolution of 1x1 as the matrix product that it is, with bias, an addition and activation, in registers alone, shared
// among four invocations. For software adapters whose subgroups are quads, as SwiftShader's, or several of them.
//
//   sum[n, o, i]    = bias[o] + sum_c weights[c, o] input[n, c, i]
//   output[n, o, i] = activation(sum), or activation(sum + added[n, o, i])
//
// Shapes: input [batch, in_channels, height width], output [batch, out_channels, height width], or the channels from
// out_first on of [batch, out_of, height width]; and so `added`. Weights [in_channels, stride] Four, see packConv.
// GEMM: M = out_channels, N = height width of one image, K = in_channels; 2 M N K FLOPs. A workgroup is one subgroup of
// LANES invocations, in fours. A quad computes 32 channels x 16 pixels of an image: 8 channels by all 16 pixels an
// invocation, four input channels at a time. Each invocation reads four of the 16 pixels and gets the others' by swaps: 12
// numbers read for 128 multiply-adds, where conv_registers has 64 for 224. winograd_product_quads.wgsl says why that pays.
// One beyond the last computes what the last does, and does not store it.
// Preconditions: KERNEL 1, no pooling; fewer than 2^31 elements a tensor.

import package::shared::activation::activated4;
import package::shared::weights::{Four, unpack};
import constants::LANES;

enable subgroups;

struct Params {
  batch: u32,
  in_channels: u32,
  out_channels: u32,
  height: u32,
  width: u32,
  activation: f32,
  out_first: u32,
  out_of: u32,
  @if(ends_added) added_first: u32,
  @if(ends_added) added_of: u32,
}

// Weights of eight channels.
struct Eight {
  head: Four,
  tail: Four,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<Eight>;
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;
@if(ends_added) @group(0) @binding(5) var<storage, read> added: array<f32>;

// Four pixels of a channel.
fn pixels_at(at: vec4u) -> vec4f {
  return vec4f(input[at.x], input[at.y], input[at.z], input[at.w]);
}

// Four pixels of four channels, of which the last ones may not exist; a pixel beyond the last is the last one.
fn store(sums: mat4x4f, n: u32, channel: u32, i: u32) {
  let plane = params.height * params.width;
  if (i < plane && channel < params.out_channels) {
    let at = min(i + vec4u(0, 1, 2, 3), vec4u(plane - 1u));
    let count = params.out_channels - channel;
    store_row(sums[0], n, channel, at);
    if (count > 1u) {
      store_row(sums[1], n, channel + 1u, at);
    }
    if (count > 2u) {
      store_row(sums[2], n, channel + 2u, at);
    }
    if (count > 3u) {
      store_row(sums[3], n, channel + 3u, at);
    }
  }
}

fn store_row(sum: vec4f, n: u32, channel: u32, i: vec4u) {
  let plane = params.height * params.width;
  var total = sum;
  @if(ends_added) let there = (n * params.added_of + params.added_first + channel) * plane + i;
  @if(ends_added) total += vec4f(added[there.x], added[there.y], added[there.z], added[there.w]);
  let value = activated4(total, params.activation);
  let at = (n * params.out_of + params.out_first + channel) * plane + i;
  output[at.x] = value.x;
  output[at.y] = value.y;
  output[at.z] = value.z;
  output[at.w] = value.w;
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(subgroup_invocation_id) invocation: u32,
) {
  let lane = invocation % 4u;
  let plane = params.height * params.width;
  let each = (params.out_channels + 7u) / 8u;
  let blocks = (each + 3u) / 4u;
  let strips = (plane + 15u) / 16u;
  let own = (group.x + group.y * groups.x) * (LANES / 4u) + invocation / 4u;
  let job = min(own, params.batch * strips * blocks - 1u);
  let own_block = job % blocks * 4u + lane;
  let block = min(own_block, each - 1u);
  let n = job / (blocks * strips);
  let first = job / blocks % strips * 16u;
  let upper = bias[2u * block];
  let lower = bias[2u * block + 1u];
  // Sums of the four pixels, a column each, that invocation lane ^ i reads: channels 0 to 3, and 4 to 7.
  var head0 = mat4x4f(upper, upper, upper, upper);
  var tail0 = mat4x4f(lower, lower, lower, lower);
  var head1 = head0;
  var tail1 = tail0;
  var head2 = head0;
  var tail2 = tail0;
  var head3 = head0;
  var tail3 = tail0;
  var k = block;
  var at = n * params.in_channels * plane + min(first + 4u * lane + vec4u(0, 1, 2, 3), vec4u(plane - 1u));
  for (var c = 0u; c < params.in_channels; c += 4u) {
    // Channels beyond the last have weights of zero.
    let rest = params.in_channels - c;
    let step = vec4u(0u, select(0u, 1u, rest > 1u), select(0u, 2u, rest > 2u), select(0u, 3u, rest > 3u));
    let there = vec4f(step > vec4u(0));
    let w0 = weights[k];
    let w1 = weights[k + step.y * each];
    let w2 = weights[k + step.z * each];
    let w3 = weights[k + step.w * each];
    // Columns: four channels of the input, for an output channel or for a pixel.
    let head = transpose(
      mat4x4f(unpack(w0.head), there.y * unpack(w1.head), there.z * unpack(w2.head), there.w * unpack(w3.head)),
    );
    let tail = transpose(
      mat4x4f(unpack(w0.tail), there.y * unpack(w1.tail), there.z * unpack(w2.tail), there.w * unpack(w3.tail)),
    );
    let p = transpose(
      mat4x4f(
        pixels_at(at),
        pixels_at(at + step.y * plane),
        pixels_at(at + step.z * plane),
        pixels_at(at + step.w * plane),
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
    let z = mat4x4f(
      quadSwapDiagonal(p[0]),
      quadSwapDiagonal(p[1]),
      quadSwapDiagonal(p[2]),
      quadSwapDiagonal(p[3]),
    );
    head3 += mat4x4f(z[0] * head, z[1] * head, z[2] * head, z[3] * head);
    tail3 += mat4x4f(z[0] * tail, z[1] * tail, z[2] * tail, z[3] * tail);
    k += 4u * each;
    at += vec4u(4u * plane);
  }
  if (own == job && own_block == block) {
    let channel = 8u * block;
    store(transpose(head0), n, channel, first + 4u * lane);
    store(transpose(tail0), n, channel + 4u, first + 4u * lane);
    store(transpose(head1), n, channel, first + 4u * (lane ^ 1u));
    store(transpose(tail1), n, channel + 4u, first + 4u * (lane ^ 1u));
    store(transpose(head2), n, channel, first + 4u * (lane ^ 2u));
    store(transpose(tail2), n, channel + 4u, first + 4u * (lane ^ 2u));
    store(transpose(head3), n, channel, first + 4u * (lane ^ 3u));
    store(transpose(tail3), n, channel + 4u, first + 4u * (lane ^ 3u));
  }
}
