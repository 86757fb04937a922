// A batch of mixtures of two images, of which more and more pixels come from the first, in the order of their
// ranks: the steps of the insertion and deletion games (RISE, Petsiuk et al. 2018, section 4.2).
//
//   output[m, c, i] = rank[i] < n_m ? over[c, i] : under[c, i]      n_m = pixels (first + m) / steps, rounded down
//
// Shapes: over and under [channels, pixels], ranks [pixels] (a permutation of 0 .. pixels - 1), output
// [batch, channels, pixels].
// One invocation an output value: 12 bytes read, 4 written.
// Preconditions: pixels times steps below 2^32.

struct Params {
  batch: u32,
  channels: u32,
  pixels: u32,
  first: u32,
  steps: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> over: array<f32>;
@group(0) @binding(2) var<storage, read> under: array<f32>;
@group(0) @binding(3) var<storage, read> ranks: array<u32>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  let size = params.channels * params.pixels;
  if (index >= params.batch * size) {
    return;
  }
  let at = index % size;
  let shown = params.pixels * (params.first + index / size) / params.steps;
  output[index] = select(under[at], over[at], ranks[at % params.pixels] < shown);
}
