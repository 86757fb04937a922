// A batch of copies of a layer's activation maps, each with one channel set to zero: Ablation-CAM's question
// what the class score is worth without it (Desai and Ramaswamy 2020).
//
//   output[m, c, i] = c == first + m ? 0 : maps[c, i]
//
// Shapes: maps [channels, pixels], output [batch, channels, pixels].
// One invocation an output value: 4 bytes read, 4 written.
// Preconditions: fewer than 2^31 elements.

struct Params {
  batch: u32,
  channels: u32,
  pixels: u32,
  first: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> maps: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  let size = params.channels * params.pixels;
  if (index >= params.batch * size) {
    return;
  }
  let at = index % size;
  let ablated = at / params.pixels == params.first + index / size;
  output[index] = select(maps[at], 0.0, ablated);
}
