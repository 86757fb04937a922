// Where conv_registers takes the pixels under a patch from: a tensor, or one image under many masks, which are evaluated
// where they are read. A patch of 2 rows x 14 columns reads a window of 4 x 16 pixels, one more on each side.
//
//   plain    input [batch, in_channels, height, width]
//   masked   image[c, y, x] mask_m[y, x]
//            mask_m[y, x] = (up_m[y, x] - min) / (max - min), min and max from ranges
//            up_m[y, x] = map channels[first_mask + m], bilinearly upsampled to the image's size
//
// Shapes: image [in_channels, height, width], maps [K, map_height, map_width], ranges [K] (min, max).
// Outside of the image is zero. A constant map (max = min) gives a mask of zero.

import package::convolution::conv_registers::params;
import package::shared::bilinear::{bilinear_positions, bilinear_shares};

@if(pixels_masked) override ALIGN_CORNERS: bool;

@if(pixels_plain) @group(0) @binding(1) var<storage, read> input: array<f32>;
@if(pixels_masked) @group(0) @binding(1) var<storage, read> image: array<f32>;
@if(pixels_masked) @group(0) @binding(5) var<storage, read> maps: array<f32>;
@if(pixels_masked) @group(0) @binding(6) var<storage, read> ranges: array<vec2f>;
@if(pixels_masked) @group(0) @binding(7) var<storage, read> channels: array<u32>;

// One row of the window: where it is in memory, and whether it is in the image.
@if(pixels_plain)
struct Row {
  offset: u32,
  inside: bool,
}

// The same of a column.
@if(pixels_plain) alias Column = Row;

// One row of the window: where it is in memory, and the mask on its sixteen columns.
@if(pixels_masked)
struct Row {
  offset: u32,
  mask: mat4x4f,
}

@if(pixels_masked) alias Column = u32;

// Four rows of sixteen columns; the patch is the first and second row, but for the outermost columns.
struct Window {
  above: Row,
  first: Row,
  second: Row,
  below: Row,
  columns: array<Column, 16>,
}

// Where a channel of the n-th image begins.
fn plane_of(n: u32, channel: u32) -> u32 {
  @if(pixels_plain) return (n * params.in_channels + channel) * (params.height * params.width);
  @if(pixels_masked) return channel * (params.height * params.width);
}

// The mask on the window: four rows of sixteen columns.
@if(pixels_masked)
struct Mask {
  row0: mat4x4f,
  row1: mat4x4f,
  row2: mat4x4f,
  row3: mat4x4f,
}

// Positions in the map of four image rows or columns; outside the image, a position no sample reaches,
// so that the mask is zero there and the padding needs no other care.
@if(pixels_masked)
fn positions(i: vec4f, in_size: u32, out_size: u32) -> vec4f {
  let inside = (i >= vec4f(0)) & (i < vec4f(f32(out_size)));
  return select(vec4f(-2), bilinear_positions(i, in_size, out_size, ALIGN_CORNERS), inside);
}

// The mask is the same for every channel of an invocation: it is evaluated once. Upsampling scales up by 8 or 16 as
// a rule: the window lies between 2 or 3 map columns and rows. So instead of gathering four samples a pixel it goes
// through those few samples and adds each to the pixels it has a share in: 4 to 9 reads instead of 256, about 150
// multiply-adds a map column beside 6048 of the convolution of 3 to 8 channels.
@if(pixels_masked)
fn evaluate_mask(m: u32, y: i32, x: i32) -> Mask {
  let map = channels[params.first_mask + m];
  let range = ranges[map];
  let scale = select(0.0, 1.0 / (range.y - range.x), range.y > range.x);

  let rows = positions(f32(y) + vec4f(-1, 0, 1, 2), params.map_height, params.height);
  let left = f32(x) + vec4f(-1, 0, 1, 2);
  let columns = mat4x4f(
    positions(left, params.map_width, params.width),
    positions(left + 4.0, params.map_width, params.width),
    positions(left + 8.0, params.map_width, params.width),
    positions(left + 12.0, params.map_width, params.width),
  );

  // The first row and column of the patch are in the image, those of the window need not be.
  let first_row = u32(select(rows.y, rows.x, rows.x >= 0.0));
  let first_column = u32(select(columns[0].y, columns[0].x, columns[0].x >= 0.0));
  let last_row = max(max(rows.x, rows.y), max(rows.z, rows.w));
  let widest = max(max(columns[0], columns[1]), max(columns[2], columns[3]));
  let last_column = max(max(widest.x, widest.y), max(widest.z, widest.w));

  var mask: Mask;
  for (var column = first_column; f32(column) < last_column + 1.0 && column < params.map_width; column++) {
    var samples = vec4f(0);
    for (var row = first_row; f32(row) < last_row + 1.0 && row < params.map_height; row++) {
      // Scaling the sample, not the mask: the shares in a pixel sum to one.
      let sample = (maps[(map * params.map_height + row) * params.map_width + column] - range.x) * scale;
      samples += sample * bilinear_shares(rows, row);
    }
    let shares = mat4x4f(
      bilinear_shares(columns[0], column),
      bilinear_shares(columns[1], column),
      bilinear_shares(columns[2], column),
      bilinear_shares(columns[3], column),
    );
    mask.row0 += samples.x * shares;
    mask.row1 += samples.y * shares;
    mask.row2 += samples.z * shares;
    mask.row3 += samples.w * shares;
  }
  return mask;
}

@if(pixels_plain)
fn line(i: i32, size: u32, pitch: u32) -> Row {
  let last = i32(size) - 1;
  return Row(u32(clamp(i, 0, last)) * pitch, i >= 0 && i <= last);
}

@if(pixels_masked)
fn clamped(i: i32, size: u32) -> u32 {
  return u32(clamp(i, 0, i32(size) - 1));
}

fn column(x: i32) -> Column {
  @if(pixels_plain) return line(x, params.width, 1u);
  @if(pixels_masked) return clamped(x, params.width);
}

@if(pixels_plain)
fn row(y: i32) -> Row {
  return line(y, params.height, params.width);
}

// Outside the image the address is clamped and the mask is zero.
@if(pixels_masked)
fn row(y: i32, mask: mat4x4f) -> Row {
  return Row(clamped(y, params.height) * params.width, mask);
}

// The window of the patch of the n-th image whose first pixel is (y, x).
fn window_at(n: u32, y: i32, x: i32) -> Window {
  @if(pixels_masked) let mask = evaluate_mask(n, y, x);
  let columns = array<Column, 16>(
    column(x - 1),
    column(x + 0),
    column(x + 1),
    column(x + 2),
    column(x + 3),
    column(x + 4),
    column(x + 5),
    column(x + 6),
    column(x + 7),
    column(x + 8),
    column(x + 9),
    column(x + 10),
    column(x + 11),
    column(x + 12),
    column(x + 13),
    column(x + 14),
  );
  @if(pixels_plain) return Window(row(y - 1), row(y), row(y + 1), row(y + 2), columns);
  @if(pixels_masked)
  return Window(
    row(y - 1, mask.row0),
    row(y, mask.row1),
    row(y + 1, mask.row2),
    row(y + 2, mask.row3),
    columns,
  );
}

// Reads at a clamped address and then selects: cheaper than a branch, and never out of bounds.
@if(pixels_plain)
fn pixel(plane: u32, row: Row, column: Column) -> f32 {
  return select(0.0, input[plane + row.offset + column.offset], row.inside && column.inside);
}

// Sixteen pixels of one row and channel.
@if(pixels_plain)
fn load(plane: u32, row: Row, columns: array<Column, 16>) -> array<f32, 16> {
  return array<f32, 16>(
    pixel(plane, row, columns[0]),
    pixel(plane, row, columns[1]),
    pixel(plane, row, columns[2]),
    pixel(plane, row, columns[3]),
    pixel(plane, row, columns[4]),
    pixel(plane, row, columns[5]),
    pixel(plane, row, columns[6]),
    pixel(plane, row, columns[7]),
    pixel(plane, row, columns[8]),
    pixel(plane, row, columns[9]),
    pixel(plane, row, columns[10]),
    pixel(plane, row, columns[11]),
    pixel(plane, row, columns[12]),
    pixel(plane, row, columns[13]),
    pixel(plane, row, columns[14]),
    pixel(plane, row, columns[15]),
  );
}

@if(pixels_masked)
fn load(plane: u32, row: Row, columns: array<Column, 16>) -> array<f32, 16> {
  return array<f32, 16>(
    image[plane + row.offset + columns[0]] * row.mask[0][0],
    image[plane + row.offset + columns[1]] * row.mask[0][1],
    image[plane + row.offset + columns[2]] * row.mask[0][2],
    image[plane + row.offset + columns[3]] * row.mask[0][3],
    image[plane + row.offset + columns[4]] * row.mask[1][0],
    image[plane + row.offset + columns[5]] * row.mask[1][1],
    image[plane + row.offset + columns[6]] * row.mask[1][2],
    image[plane + row.offset + columns[7]] * row.mask[1][3],
    image[plane + row.offset + columns[8]] * row.mask[2][0],
    image[plane + row.offset + columns[9]] * row.mask[2][1],
    image[plane + row.offset + columns[10]] * row.mask[2][2],
    image[plane + row.offset + columns[11]] * row.mask[2][3],
    image[plane + row.offset + columns[12]] * row.mask[3][0],
    image[plane + row.offset + columns[13]] * row.mask[3][1],
    image[plane + row.offset + columns[14]] * row.mask[3][2],
    image[plane + row.offset + columns[15]] * row.mask[3][3],
  );
}
