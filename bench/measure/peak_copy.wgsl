// The adapter's peak of memory traffic, half read and half written.
//
//   output[i] = input[i]
//
// Shapes: input, output [count] vec4f. An invocation copies PER_INVOCATION of them, neighbours next to each
// other, so that reads and writes coalesce. 32 bytes of traffic an element, no FLOP.
// Preconditions: count = PER_INVOCATION * invocations.

override PER_INVOCATION: u32;

@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4f>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let invocations = groups.x * 256u;
  for (var i = 0u; i < PER_INVOCATION; i++) {
    let at = id.x + i * invocations;
    output[at] = input[at];
  }
}
