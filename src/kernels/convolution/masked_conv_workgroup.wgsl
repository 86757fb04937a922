// Convolution of image * mask for a batch of masks, the mask applied as pixels go into workgroup memory. No masked image
// is ever stored. For GPUs.
//
//   sum[m, o, y, x]    = bias[o] + sum_(c, ky, kx) weights[c, ky, kx, o]
//                                  image[c, y + ky - p, x + kx - p] mask_m[y + ky - p, x + kx - p]
//   output[m, o, y, x] = activation(sum)      p = (KERNEL - 1) / 2; mask_m: shared/mask_at.wgsl
//   with POOL: output[m, o, y, x] = the largest of the four at (2 y, 2 x) .. (2 y + 1, 2 x + 1)
//
// Shapes: image [IN_CHANNELS, HEIGHT, WIDTH], maps [K, MAP_HEIGHT, MAP_WIDTH], ranges [K] (min, max),
// output [batch, OUT_CHANNELS, HEIGHT, WIDTH] or, with POOL, [batch, OUT_CHANNELS, floor(HEIGHT / 2),
// floor(WIDTH / 2)]; stride 1; outside the image is zero. Weights [IN_CHANNELS KERNEL KERNEL, stride]
// Four, see packConv: 4 stride is OUT_CHANNELS rounded up to 8.
//
// A place is a patch of 2 HIGH x 4 WIDE outputs of one mask, in workgroup x and, beyond its limit, z. A workgroup computes
// it for 8 GROUPS channels, an invocation 2 x 4 pixels of 8 channels: whole 2x2, so that pooling needs no neighbour.
// The patch and one pixel more on each side are masked once for all of them, four in a row at a time, and put into
// workgroup memory, DEPTH channels of the image at once: all of an image's three, so that the sum has no barrier in it.
// Of each channel an invocation reads 4 rows of 6 pixels, which serve all nine taps, and 9 x 8 weights: 26 vec4f
// for 576 multiply-adds, 0.7 bytes each. K = 27 is 27: a tap is written out, and nothing pads it. Weights are un-packed
// on the way into workgroup memory.
// Rows of the tile are WIDE + 2 vec4f, one of them unread where WIDE is 4: eight invocations stand over two pairs of rows
// then, and find theirs in different banks.
// Workgroups beyond the last place end at once, whole, before any barrier. Barriers: one between filling the tiles and
// using them, one before they are filled again. Both stand in a loop whose bounds are overrides, and no invocation
// leaves early.
// Workgroup memory at DEPTH 3: 3 KiB of pixels and 6.8 of weights for 64 channels, 8.4 and 1.7 for 16.
// Preconditions: KERNEL 1 or 3; GROUPS x HIGH x WIDE as masked_conv_workgroup.ts has them; DEPTH 1 to 3; fewer than 2^31
// elements a tensor; a finite image.

import package::convolution::quads::{ACTIVATION, IN_CHANNELS, KERNEL, OUT_CHANNELS, OUT_FIRST, OUT_OF, bias, weight_at};
import package::shared::activation::{BOUNDED, NOT_FINITE, rectified4};
import package::shared::mask_at::mask_of_four;
import package::shared::output_fours::store_fours;
import package::shared::places::place_of;
import package::shared::product_tile::{Sums, step, sums_from};
import package::shared::size::{HEIGHT, WIDTH};
import package::shared::weights::unpack;
import constants::{DEPTH, GROUPS, HIGH, WIDE};

struct Params {
  places: u32,
  first_mask: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(5) var<storage, read> image: array<f32>;
@group(0) @binding(7) var<storage, read> channels: array<u32>;

const INVOCATIONS = GROUPS * HIGH * WIDE;
const TILE_ROWS = 2 * HIGH + 2;
const PITCH = WIDE + 2;
const FOURS = 9 * 2 * GROUPS;

// [channel][tap][half of eight][group], four weights each; [channel][row][four pixels]: the first row and column are the
// patch's own less one. Remainders in what reads them show compilers that nothing lies outside.
var<workgroup> weight_tile: array<vec4f, DEPTH * FOURS>;
var<workgroup> pixel_tile: array<vec4f, DEPTH * TILE_ROWS * PITCH>;

// Six pixels in a row.
struct Six {
  left: vec4f,
  right: vec2f,
}

// One of the four rows that an invocation reads.
fn six_at(channel: u32, row: u32, local: u32) -> Six {
  let own = local / WIDE % HIGH * (2u * PITCH) + local % WIDE;
  let at = channel % DEPTH * (TILE_ROWS * PITCH) + own + row % 4u * PITCH;
  return Six(pixel_tile[at], pixel_tile[at + 1u].xy);
}

// Adds what one tap makes of two rows of four pixels.
fn add_tap(sums: ptr<function, Sums>, channel: u32, tap: u32, local: u32, upper: vec4f, lower: vec4f) {
  let at = channel % DEPTH * FOURS + tap % 9u * (2u * GROUPS) + local / (WIDE * HIGH) % GROUPS;
  step(sums, weight_tile[at], weight_tile[at + GROUPS], upper, lower);
}

// The three taps of a row of the filter.
fn add_row(sums: ptr<function, Sums>, channel: u32, row: u32, local: u32, upper: Six, lower: Six) {
  add_tap(sums, channel, 3u * row, local, upper.left, lower.left);
  add_tap(sums, channel, 3u * row + 1u, local, middle(upper), middle(lower));
  add_tap(
    sums,
    channel,
    3u * row + 2u,
    local,
    vec4f(upper.left.zw, upper.right),
    vec4f(lower.left.zw, lower.right),
  );
}

fn middle(six: Six) -> vec4f {
  return vec4f(six.left.yzw, six.right.x);
}

// Four weights into the tile, if there are so many. Channels beyond the last have the last ones' weights.
fn put_weights(i: u32, first: u32, first_four: u32) {
  let stride = (OUT_CHANNELS + 7u) / 8u * 2u;
  let row = i / (2u * GROUPS);
  let column = i % (2u * GROUPS);
  let taps = KERNEL * KERNEL;
  if (row < DEPTH * taps) {
    let at = row / taps * FOURS + row % taps * (2u * GROUPS) + column % 2u * GROUPS + column / 2u;
    weight_tile[at] = unpack(weight_at(first * taps + row, min(first_four + column, stride - 1u), stride));
  }
}

// Where a patch lies: its map, and its first pixel.
struct Corner {
  map: u32,
  y: u32,
  x: u32,
}

// Brings so many channels of the image from `first` on, masked, and their weights.
fn fill(first: u32, corner: Corner, first_eight: u32, local: u32) {
  // As often as there are more of them than invocations; compilers leave a loop as it is.
  put_weights(local, first, 2u * first_eight);
  if (DEPTH * FOURS > INVOCATIONS) {
    put_weights(local + INVOCATIONS, first, 2u * first_eight);
  }
  if (DEPTH * FOURS > 2u * INVOCATIONS) {
    put_weights(local + 2u * INVOCATIONS, first, 2u * first_eight);
  }
  if (DEPTH * FOURS > 3u * INVOCATIONS) {
    put_weights(local + 3u * INVOCATIONS, first, 2u * first_eight);
  }
  for (var i = local; i < TILE_ROWS * (WIDE + 1u); i += INVOCATIONS) {
    let row = i / (WIDE + 1u);
    let column = i % (WIDE + 1u);
    let y = corner.y + row - 1u;
    let x = corner.x + 4u * column - 1u;
    let mask = mask_of_four(corner.map, y, x);
    // What is outside of the image is read as another pixel, and the mask is zero there.
    let pixel = min(y, HEIGHT - 1u) * WIDTH + x;
    for (var c = 0u; c < DEPTH; c++) {
      let at = min(first + c, IN_CHANNELS - 1u) * HEIGHT * WIDTH + pixel;
      pixel_tile[c * (TILE_ROWS * PITCH) + row * PITCH + column] =
        mask * vec4f(image[at], image[at + 1u], image[at + 2u], image[at + 3u]);
    }
  }
}

// Adds what those channels make.
fn add_channels(sums: ptr<function, Sums>, first: u32, local: u32) {
  for (var c = 0u; c < DEPTH; c++) {
    if (IN_CHANNELS % DEPTH != 0u && first + c >= IN_CHANNELS) {
      break;
    }
    let row1 = six_at(c, 1u, local);
    let row2 = six_at(c, 2u, local);
    if (KERNEL == 1u) {
      add_tap(sums, c, 0u, local, middle(row1), middle(row2));
    } else {
      let row0 = six_at(c, 0u, local);
      let row3 = six_at(c, 3u, local);
      add_row(sums, c, 0u, local, row0, row1);
      add_row(sums, c, 1u, local, row1, row2);
      add_row(sums, c, 2u, local, row2, row3);
    }
  }
}

// What is stored of sums: at least 0 of a ReLU's, or infinity where not all of them are finite.
fn ended(sums: vec4f, least: f32) -> vec4f {
  if (ACTIVATION == 0.0) {
    return max(sums, vec4f(least));
  }
  return select(rectified4(sums, ACTIVATION), vec4f(least), least > 0.0);
}

@compute @workgroup_size(INVOCATIONS)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let slot = wg.x + wg.z * workgroups.x;
  if (slot >= params.places) {
    return;
  }
  let across = (WIDTH + 4u * WIDE - 1u) / (4u * WIDE);
  let down = (HEIGHT + 2u * HIGH - 1u) / (2u * HIGH);
  let place = place_of(slot);
  let n = place / (across * down);
  let y = place / across % down * 2u * HIGH;
  let x = place % across * 4u * WIDE;
  let stride = (OUT_CHANNELS + 7u) / 8u * 2u;
  let first_eight = wg.y * GROUPS;
  let corner = Corner(channels[params.first_mask + n], y, x);

  // What it computes. Channels beyond the last are computed from the last ones and not stored.
  let four = local % WIDE;
  let pair = local / WIDE % HIGH;
  let group = local / (WIDE * HIGH) % GROUPS;
  let o = 8u * (first_eight + group);
  let bias_at = min(2u * (first_eight + group), stride - 2u);
  var sums = sums_from(bias[bias_at], bias[bias_at + 1u]);
  fill(0u, corner, first_eight, local);
  workgroupBarrier();
  add_channels(&sums, 0u, local);
  for (var first = DEPTH; first < IN_CHANNELS; first += DEPTH) {
    workgroupBarrier();
    fill(first, corner, first_eight, local);
    workgroupBarrier();
    add_channels(&sums, first, local);
  }

  // Of an invocation's sums that are not finite everywhere, all are infinite: one addition each, and no comparison.
  var least = 0.0;
  if (!BOUNDED) {
    var total = vec4f(0);
    for (var i = 0u; i < 16u; i++) {
      total += sums[i];
    }
    let exponent = bitcast<u32>(dot(total, vec4f(1))) & NOT_FINITE;
    least = select(0.0, bitcast<f32>(exponent), exponent == NOT_FINITE);
  }
  // Of most layers one look tells that all of an invocation's channels and rows exist.
  if (o < OUT_CHANNELS && y + 2u * pair < HEIGHT && x + 4u * four < WIDTH) {
    for (var i = 0u; i < 8u; i++) {
      if (OUT_CHANNELS % 8u == 0u || o + i < OUT_CHANNELS) {
        store_fours(
          n * OUT_OF + OUT_FIRST + o + i,
          y + 2u * pair,
          x + 4u * four,
          ended(sums[2u * i], least),
          ended(sums[2u * i + 1u], least),
        );
      }
    }
  }
}
