// Weights of type f32, read four at a time. One of the prefixes four_*.wgsl, of which weight_dtype.ts puts
// one in front of a kernel's text, so that a kernel is written once for all types of weights: it binds
// `weights: array<Four>` and un-packs what it reads.

alias Four = vec4f;

fn unpack(four: Four) -> vec4f {
  return four;
}
