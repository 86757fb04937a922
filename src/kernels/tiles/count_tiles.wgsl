// How many tiles of each list masks have: set bits counted, in all and up to each word.
//
//   counts[m, l] = number of 1s in the words of list l of mask m
//   before[m, w] = number of 1s in the words of w's list that stand before w
//
// Shapes: lists [count] (first word, words); bits and before [masks, words]; counts [masks, count]. One invocation a
// count; VGG-16's largest list has 98 words.

struct Params {
  masks: u32,
  words: u32,
  lists: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> lists: array<vec2u>;
@group(0) @binding(2) var<storage, read> bits: array<u32>;
@group(0) @binding(3) var<storage, read_write> counts: array<u32>;
@group(0) @binding(4) var<storage, read_write> before: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  if (index >= params.masks * params.lists) {
    return;
  }
  let list = lists[index % params.lists];
  let start = index / params.lists * params.words + list.x;
  var count = 0u;
  for (var i = 0u; i < list.y; i++) {
    before[start + i] = count;
    count += countOneBits(bits[start + i]);
  }
  counts[index] = count;
}
