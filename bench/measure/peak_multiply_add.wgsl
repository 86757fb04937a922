// The adapter's peak of multiply-adds in f32: nothing but those, on values in registers.
//
//   x <- factor x + addend, 4 steps times, for CHAINS vec4f that do not depend on each other
//   output[i] = the sum of the chains; chain j of invocation i starts from (i mod 64) / 64 + j
//
// Shapes: output [invocations] vec4f. One invocation a column of chains; no memory but its own result.
// FLOPs: 2 * 4 * CHAINS * 4 * steps an invocation; 16 bytes written.
// How many chains a core needs to be busy, and how many fit its registers, differs: CHAINS is 2, 4 or 8, and the
// host takes the fastest.
// The four steps are written out, since not every compiler unrolls a loop.
// Preconditions: |factor| < 1, so that the chains stay finite.

override CHAINS: u32;

struct Params {
  steps: u32,
  factor: f32,
  addend: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> output: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  let factor = vec4f(params.factor);
  let addend = vec4f(params.addend);
  let start = f32(index % 64u) / 64.0;
  var a = vec4f(start);
  var b = vec4f(start + 1.0);
  var c = vec4f(start + 2.0);
  var d = vec4f(start + 3.0);
  var e = vec4f(start + 4.0);
  var f = vec4f(start + 5.0);
  var g = vec4f(start + 6.0);
  var h = vec4f(start + 7.0);
  for (var step = 0u; step < params.steps; step++) {
    a = factor * a + addend;
    b = factor * b + addend;
    a = factor * a + addend;
    b = factor * b + addend;
    a = factor * a + addend;
    b = factor * b + addend;
    a = factor * a + addend;
    b = factor * b + addend;
    if (CHAINS > 2u) {
      c = factor * c + addend;
      d = factor * d + addend;
      c = factor * c + addend;
      d = factor * d + addend;
      c = factor * c + addend;
      d = factor * d + addend;
      c = factor * c + addend;
      d = factor * d + addend;
    }
    if (CHAINS > 4u) {
      e = factor * e + addend;
      f = factor * f + addend;
      g = factor * g + addend;
      h = factor * h + addend;
      e = factor * e + addend;
      f = factor * f + addend;
      g = factor * g + addend;
      h = factor * h + addend;
      e = factor * e + addend;
      f = factor * f + addend;
      g = factor * g + addend;
      h = factor * h + addend;
      e = factor * e + addend;
      f = factor * f + addend;
      g = factor * g + addend;
      h = factor * h + addend;
    }
  }
  var sum = a + b;
  if (CHAINS > 2u) {
    sum += c + d;
  }
  if (CHAINS > 4u) {
    sum += (e + f) + (g + h);
  }
  output[index] = sum;
}
