// Weights read four at a time, of the type that a variant has: a kernel is written once for all of them, binds
// `weights: array<Four>` and un-packs what it reads in registers. The first weight stands in the lowest bits.
//
//   f32   16 bytes
//   f16    8 bytes; unpack2x16float is in the language itself, so this needs no shader-f16 of the device; every f16
//          is exact in f32
//   int8   4 bytes; the integers come out as they are, -128 to 127: what they are multiples of, the scale of their
//          row, is the kernel's concern

@if(weights_f32) alias Four = vec4f;
@if(weights_f16) alias Four = vec2u;
@if(weights_int8) alias Four = u32;

@if(weights_f32)
fn unpack(four: Four) -> vec4f {
  return four;
}

@if(weights_f16)
fn unpack(four: Four) -> vec4f {
  return vec4f(unpack2x16float(four.x), unpack2x16float(four.y));
}

// Each byte is moved to the top and back down, which drags its sign along.
@if(weights_int8)
fn unpack(four: Four) -> vec4f {
  let bytes = vec4i(bitcast<i32>(four)) << vec4u(24u, 16u, 8u, 0u);
  return vec4f(bytes >> vec4u(24u));
}
