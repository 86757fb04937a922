// The lists of tiles that a batch of masks computes or fills in, all of them at once, from their bits.
//
//   places[at(l) ..] = b tiles(l) + t for every set bit t of list l of mask b, in order of b, then t
//
// Shapes: lists [count] (first word, words, tiles, at); rows [masks], the bits' row of each mask;
// bits and before [*, words]; counts [*, count], from count_tiles; places as long as the host, which knows the counts,
// has made it. One invocation a word of a mask. Where its tiles stand it finds by adding up those of the masks of the
// batch that come before its own. The order is fixed, so a run can be
// repeated bit for bit.

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
@group(0) @binding(5) var<storage, read> before: array<u32>;
@group(0) @binding(6) var<storage, read_write> places: array<u32>;

// The list that a word belongs to: they follow one another.
fn list_of(word: u32) -> u32 {
  var list = 0u;
  while (list + 1u < params.lists && lists[list + 1u].x <= word) {
    list++;
  }
  return list;
}

// How many places of a list the first masks of the batch have, those of all of them added up.
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
  let start = rows[params.first_mask + mask] * params.words;
  var left = bits[start + word];
  if (left == 0u) {
    return;
  }
  let number = list_of(word);
  let list = lists[number];
  var at = list.w + counted(number, mask) + before[start + word];
  let first = mask * list.z + (word - list.x) * 32u;
  while (left != 0u) {
    places[at] = first + firstTrailingBit(left);
    at++;
    left &= left - 1u;
  }
}
