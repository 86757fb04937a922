// Filters for the way back through a convolution of stride 1: turned by half a turn, inputs and outputs
// exchanged.
//
//   turned[o, taps - 1 - t, c] = weights[c, t, o]        t: position in the k x k filter, taps = k k
//
// A convolution of the gradient with these, with the same zero padding, is the gradient with respect to the
// input, so the kernels of the way forward serve for the way back.
// Shapes: weights [channels, taps, out_channels rounded up to 8] Four, turned [out_channels, taps, channels
// rounded up to 8] in f32 whatever the weights are: both as packConv says. Padding is written as zeros.
// One invocation four values of turned; neighbours on neighbouring o read side by side. Reads 16 bytes at
// most and writes 16: bound by memory.

import package::shared::weights::{Four, unpack};

struct Params {
  channels: u32,
  out_channels: u32,
  taps: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> weights: array<Four>;
@group(0) @binding(2) var<storage, read_write> turned: array<vec4f>;

fn weight_at(c: u32, t: u32, o: u32) -> f32 {
  if (c >= params.channels) {
    return 0.0;
  }
  let pitch = (params.out_channels + 7u) / 8u * 2u;
  return unpack(weights[(c * params.taps + t) * pitch + o / 4u])[o % 4u];
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  let pitch = (params.channels + 7u) / 8u * 2u;
  if (i >= params.out_channels * params.taps * pitch) {
    return;
  }
  let o = i % params.out_channels;
  let t = i / params.out_channels % params.taps;
  let four = i / (params.out_channels * params.taps);
  turned[(o * params.taps + params.taps - 1u - t) * pitch + four] = vec4f(
    weight_at(4u * four, t, o),
    weight_at(4u * four + 1u, t, o),
    weight_at(4u * four + 2u, t, o),
    weight_at(4u * four + 3u, t, o),
  );
}
