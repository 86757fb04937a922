// The adapter's peak of memory traffic, nearly all of it read.
//
//   output[i] = sum over j of input[i + j invocations], j < PER_INVOCATION
//
// Shapes: input [PER_INVOCATION * invocations] vec4f, output [invocations] vec4f. Neighbours read next to each
// other. 16 (PER_INVOCATION + 1) bytes and 4 PER_INVOCATION additions an invocation.

override PER_INVOCATION: u32;

@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4f>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let invocations = groups.x * 256u;
  var sum = vec4f(0);
  for (var i = 0u; i < PER_INVOCATION; i++) {
    sum += input[id.x + i * invocations];
  }
  output[id.x] = sum;
}
