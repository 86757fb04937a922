// What Winograd in one kernel has in common, F(2x2) and F(4x4): pixels by rows of six, products of four by four, and two rows
// of four outputs with bias, addition, activation and pooling.
//
//   output = activation(sum / SCALE + bias);  with ADDED activation(sum / SCALE + bias + added);  SCALE = U_SCALE V_SCALE
//
// Shapes: those of winograd_fused.wgsl and winograd_4x4_fused.wgsl.

import package::shared::activation::activated4;
import package::shared::output_fours::store_fours;
import package::shared::size::{HEIGHT, WIDTH};
import package::winograd::stored::{U_SCALE, V_SCALE};

override OUT_FIRST: u32;
override OUT_OF: u32;
override ACTIVATION: f32;
@if(!pixels_masked) override ADDED: bool;
@if(!pixels_masked) override ADDED_FIRST: u32;
@if(!pixels_masked) override ADDED_OF: u32;

@if(!pixels_masked) @group(0) @binding(1) var<storage, read> pixels: array<f32>;
@if(pixels_masked) @group(0) @binding(5) var<storage, read> pixels: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@if(!pixels_masked) @group(0) @binding(5) var<storage, read> added: array<f32>;

// Six pixels of a row, or what each counts: columns x to x + 3, and those beside them, x - 1 and x + 4.
struct Row {
  inner: vec4f,
  outer: vec2f,
}

// The row whose column x - 1 is pixels[at]. What is beyond its ends is read like the rest.
fn row_at(at: u32) -> Row {
  return Row(
    vec4f(pixels[at + 1u], pixels[at + 2u], pixels[at + 3u], pixels[at + 4u]),
    vec2f(pixels[at], pixels[at + 5u]),
  );
}

fn outer_product(u: vec4f, v: vec4f) -> mat4x4f {
  return mat4x4f(u.x * v, u.y * v, u.z * v, u.w * v);
}

// Rows y and y + 1 of four outputs of channel o, from their sums, which both scales multiply. Row y exists.
fn store_two(n: u32, o: u32, y: u32, x: u32, first: vec4f, second: vec4f) {
  var upper = (1.0 / (U_SCALE * V_SCALE)) * first + bias[o];
  var under = (1.0 / (U_SCALE * V_SCALE)) * second + bias[o];
  @if(!pixels_masked)
  if (ADDED) {
    // What does not exist is read from elsewhere, and not stored.
    let above = ((n * ADDED_OF + ADDED_FIRST + o) * HEIGHT + y) * WIDTH + x;
    let below = above + WIDTH;
    upper += vec4f(added[above], added[above + 1u], added[above + 2u], added[above + 3u]);
    under += vec4f(added[below], added[below + 1u], added[below + 2u], added[below + 3u]);
  }
  store_fours(
    n * OUT_OF + OUT_FIRST + o,
    y,
    x,
    activated4(upper, ACTIVATION),
    activated4(under, ACTIVATION),
  );
}
