// Masked images: one image under each mask of a batch.
//
//   output[m, c, i] = image[c, i] masks[m, i]
//
// Shapes: image [CHANNELS, PIXELS], masks [batch, PIXELS], output [batch, CHANNELS, PIXELS].
// The image is the normalised input tensor, so 0 is the mean colour of the training data.
// One invocation an output value: reads 8 bytes, writes 4, 1 FLOP: bound by memory. The masked
// convolution does this on the fly; this kernel is its oracle and baseline.

override CHANNELS: u32;
override PIXELS: u32;

struct Params {
  batch: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> image: array<f32>;
@group(0) @binding(2) var<storage, read> masks: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.batch * CHANNELS * PIXELS) {
    return;
  }
  let mask = i / (CHANNELS * PIXELS);
  output[i] = image[i % (CHANNELS * PIXELS)] * masks[mask * PIXELS + i % PIXELS];
}
