// The lists of tiles that a batch of masks computes or fills in, all of them at once, from their bits.
//
//   places[at(l)]              = number n of tiles in list l, over all masks of the batch
//   places[at(l) + 1 .. + n]   = b tiles(l) + t for every set bit t of mask b, in order of b, then t
//
// Shapes: lists [count] (first word, words, tiles, at); rows [masks], the bits' row of each mask;
// bits [*, words]; counts [*, count]; places as long as the host, which knows the counts, has made it.
// One invocation a word of a mask. It finds its place by adding up what comes before it: at most the masks of
// the batch, and the words of one list (98 in VGG-16). The order is fixed, so a run can be repeated bit for bit.

struct Params {
  first_mask: u32,
  batch: u32,
  words: u32,
  lists: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> lists: array<vec4u>;
@group(0) @binding(2) var<storage, read> rows: array<u32>;
@group(0) @binding(3) var<storage, read> bits: array<u32>;
@group(0) @binding(4) var<storage, read> counts: array<u32>;
@group(0) @binding(5) var<storage, read_write> places: array<u32>;

// The list that a word belongs to: they follow one another.
fn list_of(word: u32) -> u32 {
  var list = 0u;
  while (list + 1u < params.lists && lists[list + 1u].x <= word) {
    list++;
  }
  return list;
}

fn counted(list: u32, masks: u32) -> u32 {
  var count = 0u;
  for (var b = 0u; b < masks; b++) {
    count += counts[rows[params.first_mask + b] * params.lists + list];
  }
  return count;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  if (index >= params.batch * params.words) {
    return;
  }
  let mask = index / params.words;
  let word = index % params.words;
  let number = list_of(word);
  let list = lists[number];
  if (mask == 0u && word == list.x) {
    places[list.w] = counted(number, params.batch);
  }
  let start = rows[params.first_mask + mask] * params.words;
  var left = bits[start + word];
  if (left == 0u) {
    return;
  }
  var at = list.w + 1u + counted(number, mask);
  for (var before = list.x; before < word; before++) {
    at += countOneBits(bits[start + before]);
  }
  let first = mask * list.z + (word - list.x) * 32u;
  while (left != 0u) {
    places[at] = first + firstTrailingBit(left);
    at++;
    left &= left - 1u;
  }
}
