// Puts weights of a fully connected layer that arrive input by input (TensorFlow.js keeps dense kernels
// [inputs, outputs]) into one row shard, where they lie output by output, in any type.
//
//   weights[o - first_output, i] = elements[r, o]     i = (s % channels) * plane + s / channels,
//                                                     s = first_row + r
//
// The source's inputs s are flattened as [plane, channels] (HWC), the shard's as [channels, plane] (CHW).
// Shapes: elements [rows, out_features], each the bits of one weight in the low end of a word; weights
// [shard_outputs, row_words] words of ELEMENTS_PER_WORD weights, the first in the lowest bits, all zero
// before: each element is written once, by atomicOr, since neighbours in a word come from different
// invocations.
// One invocation an element, neighbours on neighbouring outputs: coalesced reads, scattered writes.
// Preconditions: ELEMENTS_PER_WORD is 1 (f32), 2 (f16) or 4 (int8), and the bits above an element are 0.

override ELEMENTS_PER_WORD: u32;

struct Params {
  first_row: u32,
  rows: u32,
  channels: u32,
  plane: u32,
  out_features: u32,
  first_output: u32,
  shard_outputs: u32,
  row_words: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> elements: array<u32>;
@group(0) @binding(2) var<storage, read_write> weights: array<atomic<u32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  if (index >= params.rows * params.shard_outputs) {
    return;
  }
  let o = index % params.shard_outputs;
  let r = index / params.shard_outputs;
  let s = params.first_row + r;
  let i = s % params.channels * params.plane + s / params.channels;
  let bits = elements[r * params.out_features + params.first_output + o];
  let shift = i % ELEMENTS_PER_WORD * (32u / ELEMENTS_PER_WORD);
  atomicOr(&weights[o * params.row_words + i / ELEMENTS_PER_WORD], bits << shift);
}
