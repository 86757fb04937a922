// The adapter's peak of memory traffic, nearly all of it read.
//
//   output[i] = sum of the PER_INVOCATION elements of the input that are invocation i's
//
// Which these are: every invocations-th from i on, so that neighbours read side by side, as a GPU wants it; or,
// where BLOCKED, those from i PER_INVOCATION on, one after the other, as a CPU wants it.
// Shapes: input [PER_INVOCATION * invocations] vec4f, output [invocations] vec4f. 16 (PER_INVOCATION + 1) bytes and
// 4 PER_INVOCATION additions an invocation, to four sums that do not wait for each other.
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
  var a = vec4f(0);
  var b = vec4f(0);
  var c = vec4f(0);
  var d = vec4f(0);
  for (var i = 0u; i < PER_INVOCATION; i += 4u) {
    a += input[at];
    b += input[at + step];
    c += input[at + step2];
    d += input[at + step3];
    at += step4;
  }
  output[id.x] = (a + b) + (c + d);
}
