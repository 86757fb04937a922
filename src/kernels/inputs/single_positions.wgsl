// A batch of copies of a layer's activation maps, each with one position and, weaker, its neighbours left:
// Recipro-CAM's spatial masks (Byun and Lee 2022).
//
//   output[m, c, y, x] = g(y - y_m) g(x - x_m) maps[c, y, x]    position m: y_m = (first + m) / width, x_m its rest
//   g(0) = 1/2, g(+-1) = 1/4, else 0
//
// Shapes: maps [channels, height, width], output [batch, channels, height, width].
// One invocation an output value: 4 bytes read, 4 written.
// Preconditions: fewer than 2^31 elements.

struct Params {
  batch: u32,
  channels: u32,
  height: u32,
  width: u32,
  first: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> maps: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

fn gaussian(a: u32, b: u32) -> f32 {
  let distance = max(a, b) - min(a, b);
  return select(select(0.0, 0.25, distance == 1u), 0.5, distance == 0u);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  let pixels = params.height * params.width;
  let size = params.channels * pixels;
  if (index >= params.batch * size) {
    return;
  }
  let position = params.first + index / size;
  let at = index % size;
  let y = at % pixels / params.width;
  let x = at % pixels % params.width;
  let weight = gaussian(y, position / params.width) * gaussian(x, position % params.width);
  output[index] = weight * maps[at];
}
