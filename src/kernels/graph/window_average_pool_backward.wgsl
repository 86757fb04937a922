// Back through average pooling over any windows.
//
//   result[p, y, x] = sum of gradient[p, oy, ox] / count(oy, ox) over the windows that cover (y, x)
//
// Shapes: result [planes, height, width], gradient [planes, out_height, out_width]. count is the number of values that were
// averaged: those of the window that lie on the input, or with counts_padding all of them.
// One invocation a value, (kernel / stride)^2 reads, which neighbours share, and as many divisions.

import package::graph::covering::{places_under, windows_over};

struct Params {
  planes: u32,
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
  counts_padding: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;

fn averaged(oy: u32, ox: u32) -> u32 {
  if (params.counts_padding != 0u) {
    return params.kernel_height * params.kernel_width;
  }
  let rows = places_under(oy, params.kernel_height, params.stride_down, params.top, params.height);
  let columns = places_under(ox, params.kernel_width, params.stride_across, params.left, params.width);
  return (rows.y - rows.x) * (columns.y - columns.x);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.planes * params.height * params.width) {
    return;
  }
  let plane = i / (params.width * params.height);
  let rows = windows_over(
    i / params.width % params.height,
    params.kernel_height,
    params.stride_down,
    params.top,
    params.out_height,
  );
  let columns = windows_over(
    i % params.width,
    params.kernel_width,
    params.stride_across,
    params.left,
    params.out_width,
  );
  var total = 0.0;
  for (var oy = rows.x; oy < rows.y; oy++) {
    for (var ox = columns.x; ox < columns.y; ox++) {
      let value = gradient[(plane * params.out_height + oy) * params.out_width + ox];
      total += value / f32(averaged(oy, ox));
    }
  }
  result[i] = total;
}
