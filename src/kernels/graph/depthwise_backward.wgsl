// Back through a depthwise convolution to its input.
//
//   result[n, c, y, x] = sum_(m, ky, kx) weights[c multiplier + m, ky, kx] gradient[n, c multiplier + m, oy, ox]
//                        over the windows (oy, ox) that have (y, x) at their (ky, kx)
//
// Shapes: result [batch, channels, height, width], gradient [batch, channels multiplier, out_height, out_width], weights
// [channels multiplier, kernel_height kernel_width rounded up to 4], see packWindowConv. What no window covers becomes 0.
// Gathers, since windows overlap: one invocation a value, which meets every stride-th row and column of the windows. Reads
// 8 bytes for a multiply-add, which neighbours share: bound by memory.

import package::graph::covering::windows_over;
import package::shared::weights::{Four, unpack};

struct Params {
  planes: u32,
  channels: u32,
  multiplier: u32,
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

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.planes * params.height * params.width) {
    return;
  }
  let x = i % params.width;
  let y = i / params.width % params.height;
  let plane = i / (params.width * params.height);
  let rows = windows_over(y, params.kernel_height, params.stride_down, params.top, params.out_height);
  let columns = windows_over(x, params.kernel_width, params.stride_across, params.left, params.out_width);
  let pitch = (params.kernel_height * params.kernel_width + 3u) / 4u;
  var total = 0.0;
  for (var m = 0u; m < params.multiplier; m++) {
    let filters = (plane % params.channels * params.multiplier + m) * pitch;
    let above = (plane * params.multiplier + m) * params.out_height;
    for (var oy = rows.x; oy < rows.y; oy++) {
      let ky = y + params.top - oy * params.stride_down;
      for (var ox = columns.x; ox < columns.y; ox++) {
        let tap = ky * params.kernel_width + x + params.left - ox * params.stride_across;
        let weight = unpack(weights[filters + tap / 4u])[tap % 4u];
        total += weight * gradient[(above + oy) * params.out_width + ox];
      }
    }
  }
  result[i] = total;
}
