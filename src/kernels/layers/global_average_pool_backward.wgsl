// Back through the mean of each plane.
//
//   result[p, i] = gradient[p] / PIXELS
//
// Shapes: gradient [planes], result [planes, PIXELS]; a plane is one channel of one image.
// One invocation a value: reads 4 bytes, which neighbours share, writes 4, one division.

override PIXELS: u32;

struct Params {
  planes: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.planes * PIXELS) {
    return;
  }
  result[i] = gradient[i / PIXELS] / f32(PIXELS);
}
