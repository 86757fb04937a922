// Listed tiles of a batch copied from one tensor: what stands where a mask does not reach. (places_listed.wgsl
// stands in front of this text, and what is copied at once: `Run`, one, two or four pixels of a row.)
//
//   output[n, c, y, x] = tensor[c, y, x]   for the pixels of every listed tile
//
// Shapes: tensor [channels, height, width]; output [batch, channels, height, width]; a tile is tile_height x
// tile_width, across in a row, tiles in an image; widths are counted in runs. One invocation a tile and channel,
// neighbours on neighbouring tiles. Reads and writes 4 bytes a pixel.
// Preconditions: fewer than 2^31 elements.

struct Params {
  places: u32,
  channels: u32,
  height: u32,
  width: u32,
  tiles: u32,
  across: u32,
  tile_height: u32,
  tile_width: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> tensor: array<Run>;
@group(0) @binding(2) var<storage, read_write> output: array<Run>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  if (index >= params.places * params.channels) {
    return;
  }
  let place = place_of(index % params.places);
  let channel = index / params.places;
  let n = place / params.tiles;
  let tile = place % params.tiles;
  let top = tile / params.across * params.tile_height;
  let left = tile % params.across * params.tile_width;
  let size = params.height * params.width;
  let source = channel * size;
  let destination = (n * params.channels + channel) * size;
  for (var y = top; y < min(top + params.tile_height, params.height); y++) {
    for (var x = left; x < min(left + params.tile_width, params.width); x++) {
      output[destination + y * params.width + x] = tensor[source + y * params.width + x];
    }
  }
}
