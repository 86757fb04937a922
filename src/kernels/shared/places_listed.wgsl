// Where the work of a kernel lies that goes over places (tiles or patches of a batch): only where a list says.
// Either this file or places_all.wgsl stands in front of the kernel's text. The binding of `places`, the last
// one of the kernel, is declared by places.ts (list_tiles.wgsl).

fn place_of(index: u32) -> u32 {
  return places[index];
}
