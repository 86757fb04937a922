// The transforms of Winograd F(4x4, 3x3) in one dimension (Lavin and Gray 2016, section 4.1); a tile goes through one of
// them by columns, then by rows.
//
//   Y = A^T [(G g G^T) * (B^T d B)] A        g: 3x3 filter, d: 6x6 pixels, Y: 4x4 outputs; * by element
//
//   G = [64/81 0 0; -s -3/4 s -9/16 s; -s 3/4 s -9/16 s; t 3/2 t 9/4 t; t -3/2 t 9/4 t; 0 0 1]
//   s = 128/243, t = 32/243
//
// The polynomials are interpolated at 0, +-3/4, +-3/2 and infinity, not at 0, +-1, +-2 as in the paper: the numbers
// of all transforms are nearer to each other, and roundings 2.4 times smaller (docs/gpu-kernels.md).

// G applied to three values, each of four filters.
struct Filter6 {
  u0: vec4f,
  u1: vec4f,
  u2: vec4f,
  u3: vec4f,
  u4: vec4f,
  u5: vec4f,
}

fn transform_filter(g0: vec4f, g1: vec4f, g2: vec4f) -> Filter6 {
  let near = g0 + 0.5625 * g2;
  let far = g0 + 2.25 * g2;
  return Filter6(
    (64.0 / 81.0) * g0,
    (-128.0 / 243.0) * (near + 0.75 * g1),
    (-128.0 / 243.0) * (near - 0.75 * g1),
    (32.0 / 243.0) * (far + 1.5 * g1),
    (32.0 / 243.0) * (far - 1.5 * g1),
    g2,
  );
}

// B^T applied to six values, the first four and the last two.
struct Pixels6 {
  head: vec4f,
  tail: vec2f,
}

fn transform_pixels(d0: f32, d1: f32, d2: f32, d3: f32, d4: f32, d5: f32) -> Pixels6 {
  let even = d4 - 2.25 * d2;
  let odd = 0.75 * (d3 - 2.25 * d1);
  let even2 = d4 - 0.5625 * d2;
  let odd2 = 1.5 * (d3 - 0.5625 * d1);
  return Pixels6(
    vec4f(1.265625 * d0 - 2.8125 * d2 + d4, even + odd, even - odd, even2 + odd2),
    vec2f(even2 - odd2, 1.265625 * d1 - 2.8125 * d3 + d5),
  );
}

// A^T applied to six values.
fn transform_product(m0: f32, m1: f32, m2: f32, m3: f32, m4: f32, m5: f32) -> vec4f {
  let a = m1 + m2;
  let b = m1 - m2;
  let c = m3 + m4;
  let d = m3 - m4;
  return vec4f(m0 + a + c, 0.75 * b + 1.5 * d, 0.5625 * a + 2.25 * c, 0.421875 * b + 3.375 * d + m5);
}
