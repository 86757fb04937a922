// The activation of every layer, by its code (numbers/activation.ts): from 0 to 1 it is max(x, 0) + code min(x, 0), 0 being
// ReLU and 1 none, and below 0 a curve. All but two of the curves are monotone: pooling sums is pooling activations.
//
// What is not finite becomes +infinity. Maxima would hide it, as max(NaN, 0) is 0 and max(-infinity, 0) too; so it goes
// on from layer to layer, since infinity less infinity and infinity times 0 are NaN, and arrives at the logits. One
// infinity does: a kernel with many outputs an invocation adds up their sums and looks at the total, which costs one
// addition a sum and not three operations. Sums whose total overflows are as good as not finite.
//
// Where the weights bound all sums (runtime/bounds.ts) there is nothing to look at: BOUNDED.

// Which of them a pipeline can do is an override, CURVE (curveOf in numbers/activation.ts): a software adapter computes what
// stands behind a branch whether it is taken or not, and exponentials doubled what the end of a convolution takes.

// 0 from 0 on, 1 a ceiling, 2 the rest.
override CURVE: u32;

override BOUNDED: bool;

// Exponents of all ones: infinity and NaN. Alone, they are +infinity.
const NOT_FINITE = 0x7f800000u;

// Without heed of what is not finite.
fn rectified4(x: vec4f, activation: f32) -> vec4f {
  if (CURVE == 1u) {
    return clamp(x, vec4f(0), vec4f(-activation));
  }
  if (CURVE == 2u) {
    return curve(x, activation);
  }
  return max(x, vec4f(0)) + activation * min(x, vec4f(0));
}

fn activated(x: f32, activation: f32) -> f32 {
  return activated4(vec4f(x), activation).x;
}

fn activated4(x: vec4f, activation: f32) -> vec4f {
  if (BOUNDED) {
    return rectified4(x, activation);
  }
  let exponents = bitcast<vec4u>(x) & vec4u(NOT_FINITE);
  return select(rectified4(x, activation), bitcast<vec4f>(exponents), exponents == vec4u(NOT_FINITE));
}

fn curve(x: vec4f, activation: f32) -> vec4f {
  let hard = saturate(x / 6.0 + 0.5);
  // Beyond 80 a sigmoid is 0 or 1 in f32, and exp need not overflow.
  let logistic = 1.0 / (1.0 + exp(-clamp(x, vec4f(-80), vec4f(80))));
  let gate = select(hard, logistic, activation < -1.5e5 && activation > -3.5e5);
  return select(gate, gate * x, activation > -2.5e5);
}
