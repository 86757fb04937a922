// Workgroups of the dispatches over a batch's listed tiles, from the tiles that are in the lists: what
// dispatchWorkgroupsIndirect reads.
//
//   n          = places of the list that the dispatch takes: those of all masks of the batch, without the first
//                ones, `most` at most
//   count      = ceil(ceil(n / together) items / size)
//   sizes[j]   = (x, y, z): x = count; where y or z is 0 it is ceil(count / 65535), and x so much smaller
//
// Shapes: rows [masks], the counts' row of each mask; counts [*, lists]; jobs [count], what the host says of each
// dispatch (kernels/kernel.ts, GridRule and Counted; `workgroupsOf` is the same on the host); sizes [count, 3].
// One invocation a dispatch, which adds up one count a mask of the batch. (counted.wgsl stands in front of this text.)

struct Params {
  first_mask: u32,
  batch: u32,
  lists: u32,
  count: u32,
}

struct Job {
  list: u32,
  first: u32,
  most: u32,
  together: u32,
  items: u32,
  size: u32,
  y: u32,
  z: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> rows: array<u32>;
@group(0) @binding(2) var<storage, read> counts: array<u32>;
@group(0) @binding(3) var<storage, read> jobs: array<Job>;
@group(0) @binding(4) var<storage, read_write> sizes: array<u32>;

const MAX_WORKGROUPS = 65535u;

fn ceil_div(count: u32, size: u32) -> u32 {
  return (count + size - 1u) / size;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  if (index >= params.count) {
    return;
  }
  let job = jobs[index];
  let listed = counted(job.list, params.batch);
  let places = min(listed - min(listed, job.first), job.most);
  let count = ceil_div(ceil_div(places, job.together) * job.items, job.size);
  var more = 1u;
  if (job.y == 0u || job.z == 0u) {
    more = max(1u, ceil_div(count, MAX_WORKGROUPS));
  }
  sizes[3u * index] = ceil_div(count, more);
  sizes[3u * index + 1u] = select(job.y, more, job.y == 0u);
  sizes[3u * index + 2u] = select(job.z, more, job.z == 0u);
}
