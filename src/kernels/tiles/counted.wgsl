// How many places of a list the first masks of a batch have, those of all of them added up. Stands in front of kernels
// that bind `rows`, the counts' row of each mask, and `counts` [*, lists], and whose `params` have first_mask and
// lists, the number of lists.

fn counted(list: u32, masks: u32) -> u32 {
  var count = 0u;
  for (var b = 0u; b < masks; b++) {
    count += counts[rows[params.first_mask + b] * params.lists + list];
  }
  return count;
}
