// Where the work of a kernel lies that goes over places (tiles or patches of a batch, counted image by image):
// everywhere, in order; or, for exact skipping, only where a list says (list_tiles.wgsl). So the kernel is written once
// for dense and for skipping runs.

@if(places_listed) @group(0) @binding(8) var<storage, read> places: array<u32>;

@if(places_all)
fn place_of(index: u32) -> u32 {
  return index;
}

@if(places_listed)
fn place_of(index: u32) -> u32 {
  return places[index];
}
