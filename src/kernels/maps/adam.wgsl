// A step of Adam (Kingma and Ba 2015, Algorithm 1) uphill, for numbers whose softmax is what the gradient is of.
//
//   g[k] = weights[k] (gradient[k] - sum_j weights[j] gradient[j])
//   m = 0.9 m + 0.1 g,  v = 0.999 v + 0.001 g^2
//   values += rate (m / (1 - 0.9^t)) / (sqrt(v / (1 - 0.999^t)) + 1e-8)
//
// Shapes: weights, gradient and values [count]; state [count + 1] pairs: (m, v) of each, and last (0.9^t, 0.999^t) of the
// steps so far, 1 at first. One workgroup of 64 invocations; the sum is taken by each of them, as there are some thousand
// terms at most. A value: reads 24 bytes, writes 12, some 20 FLOP, besides the sum.

override RATE: f32;

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> weights: array<f32>;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> state: array<vec2f>;
@group(0) @binding(4) var<storage, read_write> values: array<f32>;

const DECAY = vec2f(0.9, 0.999);
const EPSILON = 1e-8;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) index: u32) {
  let powers = state[params.count] * DECAY;
  var mean = 0.0;
  for (var j = 0u; j < params.count; j++) {
    mean += weights[j] * gradient[j];
  }
  for (var k = index; k < params.count; k += 64u) {
    let g = weights[k] * (gradient[k] - mean);
    let moments = DECAY * state[k] + (1.0 - DECAY) * vec2f(g, g * g);
    let corrected = moments / (1.0 - powers);
    state[k] = moments;
    values[k] += RATE * corrected.x / (sqrt(corrected.y) + EPSILON);
  }
  storageBarrier();
  if (index == 0u) {
    state[params.count] = powers;
  }
}
