// Convolution over windows of any size and stride, bias and activation: the plainest version, by which others are
// validated where they run (runtime/validation.ts).
//
//   sum[n, o, y, x]    = bias[o] + sum_(c, ky, kx) weights[o, c, ky, kx] input[n, g I + c, y s_y + ky - top, x s_x + kx - left]
//   output[n, o, y, x] = activation(sum)      g the group of o, I the input channels of a group
//
// Shapes: input [batch, I groups, height, width], output [batch, out_channels, out_height, out_width]; outside the input is
// zero. Weights four at a time as packWindowConv leaves them: [groups, kernel_height kernel_width, I rounded up to 4,
// out_channels / groups rounded up to 8], or with DEPTHWISE [out_channels, kernel_height kernel_width rounded up to 4].
// One invocation an output element; nothing is reused: 8 bytes read a multiply-add.

import package::shared::activation::activated;
import package::shared::weights::{Four, unpack};

override DEPTHWISE: bool;

struct Params {
  outputs: u32,
  groups: u32,
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
  activation: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<Four>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;

// Of output channel o, its group's input channel c and the window's place `tap`.
fn weight_at(o: u32, c: u32, tap: u32) -> f32 {
  let taps = params.kernel_height * params.kernel_width;
  let each = params.out_channels / params.groups;
  let stride = (each + 7u) / 8u * 8u;
  let rows = (params.in_channels + 3u) / 4u * 4u;
  var at = ((o / each * taps + tap) * rows + c) * stride + o % each;
  if (DEPTHWISE) {
    at = o * ((taps + 3u) / 4u * 4u) + tap;
  }
  return unpack(weights[at / 4u])[at % 4u];
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  if (index >= params.outputs) {
    return;
  }
  let x = index % params.out_width;
  let y = index / params.out_width % params.out_height;
  let plane = index / (params.out_width * params.out_height);
  let o = plane % params.out_channels;
  let n = plane / params.out_channels;
  let each = params.out_channels / params.groups;
  let group = o / each;
  let padded = (each + 7u) / 8u * 8u;
  var sum = bias[select(group * padded + o % each, o, DEPTHWISE)];
  for (var c = 0u; c < params.in_channels; c++) {
    let channel = (n * params.groups + group) * params.in_channels + c;
    for (var ky = 0u; ky < params.kernel_height; ky++) {
      for (var kx = 0u; kx < params.kernel_width; kx++) {
        // Unsigned: a position left of or above the input wraps to a huge one, so one test is enough.
        let row = y * params.stride_down + ky - params.top;
        let column = x * params.stride_across + kx - params.left;
        if (row < params.height && column < params.width) {
          let value = input[(channel * params.height + row) * params.width + column];
          sum += weight_at(o, c, ky * params.kernel_width + kx) * value;
        }
      }
    }
  }
  output[index] = activated(sum, params.activation);
}
