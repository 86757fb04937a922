// Weights of type f16, read four at a time: 8 bytes, the first weight in the lowest bits. One of the
// prefixes four_*.wgsl, see four_f32.wgsl. unpack2x16float is in the language itself, so this needs no
// shader-f16 of the device; every f16 is exact in f32.

alias Four = vec2u;

fn unpack(four: Four) -> vec4f {
  return vec4f(unpack2x16float(four.x), unpack2x16float(four.y));
}
