// Mean of each plane.
//
//   output[p] = 1 / PIXELS * sum of input[p, i] over i
//
// Shapes: input [planes, PIXELS], output [planes]; a plane is one channel of one image, so the output
// of a batch is [batch, channels]. One invocation a plane: after the convolutions a plane has some
// hundred pixels, and a batch has thousands of planes. Reads 4 PIXELS bytes and writes 4 a plane;
// PIXELS additions a plane.

override PIXELS: u32;

struct Params {
  planes: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let plane = id.x + id.y * groups.x * 64u;
  if (plane >= params.planes) {
    return;
  }
  var total = 0.0;
  for (var i = plane * PIXELS; i < (plane + 1u) * PIXELS; i++) {
    total += input[i];
  }
  output[plane] = total / f32(PIXELS);
}
