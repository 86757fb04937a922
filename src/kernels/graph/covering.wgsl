// Where windows lie on a line of places, the same down and across:
//
//   window o covers the places o stride - before .. o stride - before + kernel - 1, as far as there are such
//
// Ranges are (first, end): those from first on, without end.

// The windows that cover a place.
fn windows_over(place: u32, kernel: u32, stride: u32, before: u32, windows: u32) -> vec2u {
  let behind = place + before;
  let first = select(0u, (behind - kernel) / stride + 1u, behind >= kernel);
  return vec2u(first, min(behind / stride + 1u, windows));
}

// The places that a window covers, of `size` that there are.
fn places_under(window: u32, kernel: u32, stride: u32, before: u32, size: u32) -> vec2u {
  let start = window * stride;
  return vec2u(max(start, before), min(start + kernel, size + before)) - before;
}
