// Back through a convolution over any windows to its input.
//
//   result[n, c, y, x] = sum_(o, ky, kx) weights[o, c, ky, kx] gradient[n, o, oy, ox]
//                        over the windows (oy, ox) that have (y, x) at their (ky, kx), and over o in the group of c
//
// Shapes: result [batch, groups in_channels, height, width], gradient [batch, groups out_channels, out_height, out_width],
// weights [groups, kernel_height kernel_width, in_channels rounded up to 4, out_channels rounded up to 8], see
// packWindowConv; in_channels and out_channels are those of a group. What no window covers becomes 0.
// Gathers, since windows overlap. Of the window's columns a pixel meets every stride-th, and pixels that are a stride apart
// meet the same ones, one window further each: an invocation computes four such pixels x 4 channels, 16 values of the
// gradient and 16 weights read for 64 multiply-adds. Neighbours have neighbouring pixels of the same channels.

import package::shared::weights::{Four, unpack};

struct Params {
  batch: u32,
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
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> weights: array<Four>;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;

// Channels o to o + 3 of one window each; the weights of those beyond the last are zero.
fn gradient_at(first: u32, o: u32, place: u32) -> vec4f {
  let plane = params.out_height * params.out_width;
  let channel = first + min(vec4u(o, o + 1u, o + 2u, o + 3u), vec4u(params.out_channels - 1u));
  let at = channel * plane + place;
  return vec4f(gradient[at.x], gradient[at.y], gradient[at.z], gradient[at.w]);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let job = id.x + id.y * groups.x * 64u;
  let across = (params.width + params.stride_across - 1u) / params.stride_across;
  let runs = (across + 3u) / 4u * params.stride_across;
  let blocks = (params.in_channels + 3u) / 4u;
  if (job >= params.batch * params.groups * blocks * params.height * runs) {
    return;
  }
  let run = job % runs;
  let x = run / params.stride_across * 4u * params.stride_across + run % params.stride_across;
  let y = job / runs % params.height;
  let block = job / (runs * params.height);
  let start = block % blocks * 4u;
  let group = block / blocks % params.groups;
  let image = block / (blocks * params.groups);

  let pitch = (params.out_channels + 7u) / 8u * 2u;
  let first = (image * params.groups + group) * params.out_channels;
  var a = vec4f(0);
  var b = vec4f(0);
  var c = vec4f(0);
  var d = vec4f(0);
  let behind = vec2u(y + params.top, x + params.left);
  for (var ky = behind.x % params.stride_down; ky < params.kernel_height; ky += params.stride_down) {
    let oy = (i32(behind.x) - i32(ky)) / i32(params.stride_down);
    if (oy < 0 || oy >= i32(params.out_height)) {
      continue;
    }
    for (var kx = behind.y % params.stride_across; kx < params.kernel_width; kx += params.stride_across) {
      let ox = (i32(behind.y) - i32(kx)) / i32(params.stride_across) + vec4i(0, 1, 2, 3);
      let column = clamp(ox, vec4i(0), vec4i(i32(params.out_width) - 1));
      let place = u32(oy) * params.out_width + vec4u(column);
      let counts = vec4f(ox == column);
      let tap = group * params.kernel_height * params.kernel_width + ky * params.kernel_width + kx;
      var k = (tap * blocks * 4u + start) * pitch;
      for (var o = 0u; o < params.out_channels; o += 4u) {
        let filters = mat4x4f(
          unpack(weights[k]),
          unpack(weights[k + pitch]),
          unpack(weights[k + 2u * pitch]),
          unpack(weights[k + 3u * pitch]),
        );
        a += counts.x * gradient_at(first, o, place.x) * filters;
        b += counts.y * gradient_at(first, o, place.y) * filters;
        c += counts.z * gradient_at(first, o, place.z) * filters;
        d += counts.w * gradient_at(first, o, place.w) * filters;
        k++;
      }
    }
  }
  let sums = array<vec4f, 4>(a, b, c, d);
  let plane = (image * params.groups + group) * params.in_channels + start;
  for (var channel = 0u; channel < min(4u, params.in_channels - start); channel++) {
    let row = ((plane + channel) * params.height + y) * params.width;
    for (var i = 0u; i < 4u && x + i * params.stride_across < params.width; i++) {
      result[row + x + i * params.stride_across] = sums[i][channel];
    }
  }
}
