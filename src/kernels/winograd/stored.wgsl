// How Winograd's tensors U (filters), V (transformed input) and M (product) stand in memory: as f32, or as f16, half
// the bytes, which needs the feature shader-f16. Sums are f32 in both.
//
// f16 holds 6e-8 to 65504, with its full 11 bits from 6e-5 on. The input transform of F(4x4, 3x3) may multiply
// by 32.4 (the absolute values in a row of B^T add to 5.7), the filter transform by 1/58: so V is stored 32 times
// smaller and U 32 times larger, which changes nothing in their product, and M 16 times smaller. All three are
// powers of two: they round nothing. Activations up to 65000 and sums up to 380000 fit.

//
// What is beyond f16 becomes infinity before it is converted. WGSL leaves open what a conversion makes of it, and a GPU that
// rounds towards zero makes 65504, which nobody could tell from a number.

@if(stored_f16) enable f16;

@if(stored_f32) alias Stored = f32;
@if(stored_f16) alias Stored = f16;
@if(stored_f32) alias Stored4 = vec4f;
@if(stored_f16) alias Stored4 = vec4h;

@if(stored_f16)
fn halves(value: vec4f) -> vec4h {
  return vec4h(value * select(vec4f(1), vec4f(1e38), abs(value) > vec4f(65504)));
}

// What U is stored times.
@if(stored_f32) const U_SCALE = 1.0;
@if(stored_f16) const U_SCALE = 32.0;

// What V is times where it is multiplied in f16: sums of a few products are what they are then.
@if(!products_f16) const V_SCALE = 1.0;
@if(products_f16) const V_SCALE = 1.0 / 32.0;

fn store_u(value: vec4f) -> Stored4 {
  @if(stored_f32) return value;
  @if(stored_f16) return halves(U_SCALE * value);
}

fn store_v(value: f32) -> Stored {
  @if(stored_f32) return value;
  @if(stored_f16) return halves(vec4f(value / 32.0)).x;
}

fn store_m(value: vec4f) -> Stored4 {
  @if(stored_f32) return value;
  @if(stored_f16) return halves(value / 16.0);
}

fn load_m(value: Stored) -> f32 {
  @if(stored_f32) return value;
  @if(stored_f16) return 16.0 * f32(value);
}
