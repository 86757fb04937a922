// Back through max pooling over any windows.
//
//   result[p, y, x] = sum of gradient[p, oy, ox] over the windows whose first largest value is input[p, y, x]
//
// Shapes: input and result [planes, height, width], gradient [planes, out_height, out_width]. First is first in scan order,
// as in PyTorch: of equal values, ReLU's zeros above all, one gets it all. What is padded is no maximum.
// One invocation a value, which gathers, since windows overlap and two of them cannot write to one value: it looks through
// each window that covers it until it finds a larger one, at most (kernel / stride)^2 kernel^2 reads, usually few.

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
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;

// Whether the value at `own`, one of the window's, is the first largest in it.
fn is_first_largest(own: u32, plane: u32, oy: u32, ox: u32) -> bool {
  let rows = places_under(oy, params.kernel_height, params.stride_down, params.top, params.height);
  let columns = places_under(ox, params.kernel_width, params.stride_across, params.left, params.width);
  let value = input[own];
  for (var y = rows.x; y < rows.y; y++) {
    for (var x = columns.x; x < columns.y; x++) {
      let at = (plane * params.height + y) * params.width + x;
      if (input[at] > value || (input[at] == value && at < own)) {
        return false;
      }
    }
  }
  return true;
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
      if (is_first_largest(i, plane, oy, ox)) {
        total += gradient[(plane * params.out_height + oy) * params.out_width + ox];
      }
    }
  }
  result[i] = total;
}
