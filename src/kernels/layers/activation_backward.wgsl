// The gradient before an activation from the gradient behind it.
//
//   result[i] = gradient[i] * (activated[i] > 0 ? 1 : slope)
//   result[i] = gradient[i] * (0 < activated[i] < ceiling ? 1 : 0)
//
// Shapes: all [count]. activated is what max(x, 0) + slope min(x, 0) gave, the slope being the activation's code; for
// slopes from 0 to 1 its sign is the sign of x wherever the slope matters. At exactly 0 the slope counts, as in PyTorch.
// A code below 0 is a ceiling with its sign turned; nothing passes at exactly 0 nor there.
// A kernel of its own and not a factor in the next one: a convolution would read both tensors nine times.
// One invocation a value: reads 8 bytes, writes 4, one multiplication: bound by memory.

struct Params {
  count: u32,
  activation: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> activated: array<f32>;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.count) {
    return;
  }
  let is_at_ceiling = params.activation < 0.0 && activated[i] >= -params.activation;
  let slope = max(params.activation, 0.0);
  result[i] = gradient[i] * select(slope, 1.0, activated[i] > 0.0 && !is_at_ceiling);
}
