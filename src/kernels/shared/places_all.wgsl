// Where the work of a kernel lies that goes over places (tiles or patches of a batch): everywhere, in order.
// Either this file or places_listed.wgsl stands in front of the kernel's text, so that the kernel is written
// once for dense and for skipping runs.

fn place_of(index: u32) -> u32 {
  return index;
}
