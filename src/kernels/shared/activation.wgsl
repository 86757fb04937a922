// The activation of every layer: max(x, 0) + slope min(x, 0). Slope 0 is ReLU, 0.1 a leaky ReLU, 1 none. It is
// monotone for slopes from 0 on: pooling sums is pooling activations.
//
// What is not finite becomes +infinity. Maxima would hide it, as max(NaN, 0) is 0 and max(-infinity, 0) too; so it goes
// on from layer to layer, since infinity less infinity and infinity times 0 are NaN, and arrives at the logits. One
// infinity does: a kernel with many outputs an invocation adds up their sums and looks at the total, which costs one
// addition a sum and not three operations. Sums whose total overflows are as good as not finite.

// Exponents of all ones: infinity and NaN. Alone, they are +infinity.
const NOT_FINITE = 0x7f800000u;

fn rectified4(x: vec4f, slope: f32) -> vec4f {
  return max(x, vec4f(0)) + slope * min(x, vec4f(0));
}

fn activated(x: f32, slope: f32) -> f32 {
  let exponent = bitcast<u32>(x) & NOT_FINITE;
  return select(max(x, 0.0) + slope * min(x, 0.0), bitcast<f32>(exponent), exponent == NOT_FINITE);
}

fn activated4(x: vec4f, slope: f32) -> vec4f {
  let exponents = bitcast<vec4u>(x) & vec4u(NOT_FINITE);
  return select(rectified4(x, slope), bitcast<vec4f>(exponents), exponents == vec4u(NOT_FINITE));
}
