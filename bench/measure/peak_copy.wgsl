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
  var at = select(id.x, id.x * PER_INVOCATION, BLOCKED);
  for (var i = 0u; i < PER_INVOCATION; i += 4u) {
    let a = input[at];
    let b = input[at + step];
    let c = input[at + 2u * step];
    let d = input[at + 3u * step];
    output[at] = a;
    output[at + step] = b;
    output[at + 2u * step] = c;
    output[at + 3u * step] = d;
    at += 4u * step;
  }
}
