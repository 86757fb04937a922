// Max pooling over windows of 2 x 2 with stride 2.
//
//   output[p, y, x] = max of input[p, 2y .. 2y+1, 2x .. 2x+1]
//
// Shapes: input [planes, HEIGHT, WIDTH], output [planes, HEIGHT / 2, WIDTH / 2], rounded down: an odd
// last row or column is dropped, as in PyTorch. A plane is one channel of one image.
// One invocation an output value. Reads every input value once (16 bytes an output), writes 4; 3
// comparisons an output: bound by memory. Precondition: HEIGHT and WIDTH at least 2.

override HEIGHT: u32;
override WIDTH: u32;

struct Params {
  planes: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let out_height = HEIGHT / 2u;
  let out_width = WIDTH / 2u;
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.planes * out_height * out_width) {
    return;
  }
  let x = i % out_width;
  let y = (i / out_width) % out_height;
  let plane = i / (out_width * out_height);
  let top = (plane * HEIGHT + 2u * y) * WIDTH + 2u * x;
  let bottom = top + WIDTH;
  output[i] = max(max(input[top], input[top + 1u]), max(input[bottom], input[bottom + 1u]));
}
