// Reading one of several maps at another resolution: what the kernels have in common that bind
// `maps`, [count, MAP_HEIGHT, MAP_WIDTH], and want it at [HEIGHT, WIDTH]. All of them
// compute the very same values. A kernel that imports it has its `maps` at @binding(1).

import package::shared::bilinear::{Taps, bilinear_mix, bilinear_taps};
import package::shared::size::{HEIGHT, WIDTH};

override MAP_HEIGHT: u32;
override MAP_WIDTH: u32;
override ALIGN_CORNERS: bool;

@group(0) @binding(1) var<storage, read> maps: array<f32>;

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
