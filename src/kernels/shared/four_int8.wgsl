// Weights of type int8, read four at a time: 4 bytes, the first weight in the lowest. One of the prefixes
// four_*.wgsl, see four_f32.wgsl. The integers come out as they are, -128 to 127; what they are multiples
// of, the scale of their row, is the kernel's concern.

alias Four = u32;

// Each byte is moved to the top and back down, which drags its sign along.
fn unpack(four: Four) -> vec4f {
  let bytes = vec4i(bitcast<i32>(four)) << vec4u(24u, 16u, 8u, 0u);
  return vec4f(bytes >> vec4u(24u));
}
