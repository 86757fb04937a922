// The gradient before an activation that is a curve (numbers/activation.ts), from the gradient behind it: where what the
// activation gave does not say enough of what went in.
//
//   result[i] = gradient[i] f'(before[i])
//
//   hard swish     f'(x) = 0 up to -3, x / 3 + 1 / 2, and 1 from 3 on
//   SiLU           f'(x) = s (1 + x (1 - s))             s = 1 / (1 + exp(-x))
//   sigmoid        f'(x) = s (1 - s)
//   hard sigmoid   f'(x) = 1 / 6 between -3 and 3
//
// Shapes: all [count]. s and 1 - s come from exp(-|x|), so that neither is a difference.
// One invocation a value: reads 8 bytes, writes 4, about 10 FLOP: bound by memory.

struct Params {
  count: u32,
  activation: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> before: array<f32>;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;

fn slope_at(x: f32) -> f32 {
  if (params.activation > -1.5e5) {
    return select(saturate(sign(x)), x / 3.0 + 0.5, abs(x) < 3.0);
  }
  if (params.activation < -3.5e5) {
    return select(0.0, 1.0 / 6.0, abs(x) < 3.0);
  }
  // Further out it is what it is there, and exp(-|x|) is still a number of f32.
  let near = clamp(x, -80.0, 80.0);
  let small = exp(-abs(near));
  let larger = 1.0 / (1.0 + small);
  let smaller = small * larger;
  if (params.activation < -2.5e5) {
    return smaller * larger;
  }
  let s = select(smaller, larger, x > 0.0);
  return s + near * smaller * larger;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.count) {
    return;
  }
  result[i] = gradient[i] * slope_at(before[i]);
}
