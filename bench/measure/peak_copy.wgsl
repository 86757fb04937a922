// The adapter's peak of memory traffic, half read and half written.
//
//   output[i] = input[i]
//
// Which elements an invocation copies: every invocations-th from its own number on, so that neighbours read and
// write side by side, as a GPU wants it; or, where BLOCKED, PER_INVOCATION one after the other, as a CPU wants it.
// Shapes: input, output [PER_INVOCATION * invocations] vec4f. 32 bytes of traffic an element, no FLOP.
// Preconditions: PER_INVOCATION is a multiple of 4.

override PER_INVOCATION: u32;
override BLOCKED: bool;

@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let step = select(groups.x * 64u, 1u, BLOCKED);
  let step2 = 2u * step;
  let step3 = 3u * step;
  let step4 = 4u * step;
  var at = select(id.x, id.x * PER_INVOCATION, BLOCKED);
  for (var i = 0u; i < PER_INVOCATION; i += 4u) {
    let a = input[at];
    let b = input[at + step];
    let c = input[at + step2];
    let d = input[at + step3];
    output[at] = a;
    output[at + step] = b;
    output[at + step2] = c;
    output[at + step3] = d;
    at += step4;
  }
}
