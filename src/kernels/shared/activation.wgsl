// The activation of every layer: max(x, 0) + slope min(x, 0). Slope 0 is ReLU, 0.1 a leaky ReLU, 1 none. It is
// monotone for slopes from 0 on: pooling sums is pooling activations.
//

fn activated(x: f32, slope: f32) -> f32 {
  return max(x, 0.0) + slope * min(x, 0.0);
}

fn activated4(x: vec4f, slope: f32) -> vec4f {
  return max(x, vec4f(0)) + slope * min(x, vec4f(0));
}
