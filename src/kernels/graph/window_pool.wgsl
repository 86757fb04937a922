// Largest or mean value of each window, of any size and stride.
//
//   output[n, c, y, x] = max, or 1 / count * sum, of input[n, c, y sy + ky - top, x sx + kx - left] over ky and kx
//
// Shapes: input [batch, in_of, height, width], channels from in_first on; output [batch, out_of, out_height, out_width],
// channels from out_first on. What is outside of the input is no maximum and adds nothing; `count` is of what is inside,
// or of the whole window when counts_padding.
// What is not finite comes out as +infinity, of maxima too (activation.wgsl says why).
// One invocation an output: reads 4 bytes a tap, one operation: bound by memory. Rows are summed one by one, so that
// roundings stay few where a window is the whole input.

import package::shared::activation::NOT_FINITE;

override MEAN: bool;

// Of all numbers.
const LEAST = -0x1.fffffep+127;

struct Params {
  outputs: u32,
  channels: u32,
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
  in_first: u32,
  in_of: u32,
  out_first: u32,
  out_of: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.outputs) {
    return;
  }
  let x = i % params.out_width;
  let y = i / params.out_width % params.out_height;
  let plane = params.out_width * params.out_height;
  let channel = i / plane % params.channels;
  let n = i / (plane * params.channels);
  let top = i32(y * params.stride_down) - i32(params.top);
  let left = i32(x * params.stride_across) - i32(params.left);
  let first_row = u32(max(top, 0));
  let end_row = u32(clamp(top + i32(params.kernel_height), 0, i32(params.height)));
  let first_column = u32(max(left, 0));
  let end_column = u32(clamp(left + i32(params.kernel_width), 0, i32(params.width)));
  let start = (n * params.in_of + params.in_first + channel) * params.height;
  var largest = LEAST;
  var total = 0.0;
  var exponents = 0u;
  for (var row = first_row; row < end_row; row++) {
    var sum = 0.0;
    for (var column = first_column; column < end_column; column++) {
      let value = input[(start + row) * params.width + column];
      largest = max(largest, value);
      sum += value;
      exponents = max(exponents, bitcast<u32>(value) & NOT_FINITE);
    }
    total += sum;
  }
  let inside = (end_row - first_row) * (end_column - first_column);
  let count = select(inside, params.kernel_height * params.kernel_width, params.counts_padding != 0u);
  var result = largest;
  if (MEAN) {
    result = total / f32(max(count, 1u));
    exponents = bitcast<u32>(result) & NOT_FINITE;
  }
  let at = (n * params.out_of + params.out_first + channel) * plane + y * params.out_width + x;
  output[at] = select(result, bitcast<f32>(exponents), exponents == NOT_FINITE);
}
