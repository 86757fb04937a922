// Reading one of several maps at another resolution: what the kernels have in common that bind
// `maps`, [count, MAP_HEIGHT, MAP_WIDTH], and want it at [HEIGHT, WIDTH]. Put between bilinear.wgsl
// and the kernel's own text on the host side, so that all of them compute the very same values.

override MAP_HEIGHT: u32;
override MAP_WIDTH: u32;
override HEIGHT: u32;
override WIDTH: u32;
override ALIGN_CORNERS: bool;

fn row_taps(y: u32) -> Taps {
  return bilinear_taps(y, MAP_HEIGHT, HEIGHT, ALIGN_CORNERS);
}

fn column_taps(x: u32) -> Taps {
  return bilinear_taps(x, MAP_WIDTH, WIDTH, ALIGN_CORNERS);
}

fn upsampled(map: u32, row: Taps, column: Taps) -> f32 {
  let low_row = (map * MAP_HEIGHT + row.low) * MAP_WIDTH;
  let high_row = (map * MAP_HEIGHT + row.high) * MAP_WIDTH;
  return bilinear_mix(
    maps[low_row + column.low],
    maps[low_row + column.high],
    maps[high_row + column.low],
    maps[high_row + column.high],
    row.weight,
    column.weight,
  );
}
