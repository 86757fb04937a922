// Convolution of image * mask for a batch of masks, as a matrix product in tiles of workgroup memory:
// the mask is applied as the pixels are gathered. No masked image is ever stored. For GPUs. It shares weights and
// outputs with conv_workgroup.wgsl (quads.wgsl) and is a kernel of its own, because its tiles are patches of one image,
// which can be listed, and the mask takes the workgroup memory that the other has a second buffer in.
//
//   up_m[y, x]         = map channels[first_mask + m], bilinearly upsampled to HEIGHT x WIDTH
//   mask_m[y, x]       = (up_m[y, x] - min) / (max - min), min and max from ranges
//   sum[m, o, y, x]    = bias[o] + sum_(c, ky, kx) weights[c, ky, kx, o]
//                                  image[c, y + ky - p, x + kx - p] mask_m[y + ky - p, x + kx - p]
//   output[m, o, y, x] = activation(sum)      p = (KERNEL - 1) / 2
//   with POOL: output[m, o, y, x] = the largest of the four at (2 y, 2 x) .. (2 y + 1, 2 x + 1)
//
// Shapes: image [IN_CHANNELS, HEIGHT, WIDTH], maps [K, MAP_HEIGHT, MAP_WIDTH], ranges [K] (min, max),
// output [batch, OUT_CHANNELS, HEIGHT, WIDTH] or, with POOL, [batch, OUT_CHANNELS, floor(HEIGHT / 2),
// floor(WIDTH / 2)]; stride 1; outside the image is zero. Weights [IN_CHANNELS KERNEL KERNEL, stride]
// Four, see packConv: 4 stride is OUT_CHANNELS rounded up to 8.
//
// GEMM: M = OUT_CHANNELS, N = HEIGHT WIDTH of one image in quads of 2x2, K = IN_CHANNELS KERNEL^2;
// 2 M N K FLOPs. 128 invocations compute a tile of 8 g channels x 128 / g quads (g = 8, or 4 or 2 for layers
// of at most 32 or 16 channels, whose tiles would stay empty), 8 of K at a time: a patch of 4x4 quads, or
// 4x8 or 8x8, so that a mask that reaches little of the image reaches few patches. Places are patches, in
// workgroup x and, beyond its limit, z. One invocation has 8 channels of one quad, so pooling needs no
// neighbour. Weights are un-packed on the way into workgroup memory. A tile at g = 8 reads 64 weights
// and 64 pixels for 4096 multiply-adds: 0.125 bytes each.
// The mask does not depend on a channel: before the product the workgroup evaluates it once, on the 4x4
// window of every quad, and keeps it in workgroup memory (2 to 8 values an invocation).
// Workgroups beyond the last place end at once, whole, before any barrier.
// Barriers: one between filling the tiles and using them, one between using and refilling them. Both
// stand in a loop whose bounds are overrides, and no invocation leaves early, so all of them meet there.
// A third, before the loop, stands between writing the mask and reading it.
// Workgroup memory: 2 KiB of weights, 8 KiB of pixels, 4 KiB of mask.
// Preconditions: KERNEL 1 or 3; fewer than 2^31 elements a tensor. A constant map (max = min) gives a
// mask of zero.

import package::convolution::quads::{
  IN_CHANNELS,
  KERNEL,
  OUT_CHANNELS,
  bias,
  store_quad,
  weight_at,
};
import package::shared::upsampled_map::{column_taps, row_taps, upsampled};
import package::shared::places::place_of;
import package::shared::size::{HEIGHT, WIDTH};

struct Params {
  places: u32,
  first_mask: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(5) var<storage, read> image: array<f32>;
@group(0) @binding(6) var<storage, read> ranges: array<vec2f>;
@group(0) @binding(7) var<storage, read> channels: array<u32>;

// [8 rows of K][2 g], four channels each; [8 rows of K][128 / g], one quad each; [16][128 / g]: rows
// y - 1 to y + 2 and columns x - 1 to x + 2 of each quad
var<workgroup> weight_tile: array<vec4f, 128>;
var<workgroup> pixel_tile: array<vec4f, 512>;
var<workgroup> mask_tile: array<f32, 1024>;

// Unsigned: a position left of or above the image wraps to a huge one, so one test is enough.
fn mask_at(map: u32, y: u32, x: u32) -> f32 {
  if (y >= HEIGHT || x >= WIDTH) {
    return 0.0;
  }
  let value = upsampled(map, row_taps(y), column_taps(x));
  let range = ranges[map];
  return select(0.0, (value - range.x) / (range.y - range.x), range.y > range.x);
}

fn masked_pixel(channel: u32, row: u32, column: u32, mask: f32) -> f32 {
  if (row >= HEIGHT || column >= WIDTH) {
    return 0.0;
  }
  return image[(channel * HEIGHT + row) * WIDTH + column] * mask;
}

// Row k of the matrix of masked patches at one quad.
fn quad_at(k: u32, y: u32, x: u32, quad: u32, quads: u32) -> vec4f {
  let channel = k / (KERNEL * KERNEL);
  if (channel >= IN_CHANNELS) {
    return vec4f(0);
  }
  let padding = (KERNEL - 1u) / 2u;
  let ky = k / KERNEL % KERNEL - padding;
  let kx = k % KERNEL - padding;
  let row = y + ky;
  let column = x + kx;
  let at = (4u * (ky + 1u) + kx + 1u) * quads + quad;
  return vec4f(
    masked_pixel(channel, row, column, mask_tile[at]),
    masked_pixel(channel, row, column + 1u, mask_tile[at + quads]),
    masked_pixel(channel, row + 1u, column, mask_tile[at + 4u * quads]),
    masked_pixel(channel, row + 1u, column + 1u, mask_tile[at + 5u * quads]),
  );
}

@compute @workgroup_size(128)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let slot = wg.x + wg.z * workgroups.x;
  if (slot >= params.places) {
    return;
  }
  let groups = select(select(2u, 4u, OUT_CHANNELS > 16u), 8u, OUT_CHANNELS > 32u);
  let quads = 128u / groups;
  let group = local / quads;
  let quad = local % quads;
  let wide = select(4u, 8u, quads > 16u);
  let high = quads / wide;
  let across = (WIDTH + 2u * wide - 1u) / (2u * wide);
  let down = (HEIGHT + 2u * high - 1u) / (2u * high);
  let place = place_of(slot);
  let n = place / (across * down);
  let y = (place / across % down * high + quad / wide) * 2u;
  let x = (place % across * wide + quad % wide) * 2u;
  let depth = IN_CHANNELS * KERNEL * KERNEL;
  let stride = (OUT_CHANNELS + 7u) / 8u * 2u;
  let first_column = wg.y * 2u * groups;

  let map = channels[params.first_mask + n];
  for (var i = group; i < 16u; i += groups) {
    mask_tile[i * quads + quad] = mask_at(map, y + i / 4u - 1u, x + i % 4u - 1u);
  }
  workgroupBarrier();

  // Channels beyond the last are computed from the last ones' bias and not stored.
  let o = (wg.y * groups + group) * 8u;
  let bias_at = min(o / 4u, stride - 2u);
  let first_bias = bias[bias_at];
  let second_bias = bias[bias_at + 1u];
  var sum0 = vec4f(first_bias.x);
  var sum1 = vec4f(first_bias.y);
  var sum2 = vec4f(first_bias.z);
  var sum3 = vec4f(first_bias.w);
  var sum4 = vec4f(second_bias.x);
  var sum5 = vec4f(second_bias.y);
  var sum6 = vec4f(second_bias.z);
  var sum7 = vec4f(second_bias.w);
  for (var start = 0u; start < depth; start += 8u) {
    if (local < 16u * groups) {
      let k = start + local / (2u * groups);
      let column = min(first_column + local % (2u * groups), stride - 1u);
      weight_tile[local] = weight_at(k, column, stride);
    }
    for (var row = group; row < 8u; row += groups) {
      pixel_tile[row * quads + quad] = quad_at(start + row, y, x, quad, quads);
    }
    workgroupBarrier();
    for (var k = 0u; k < 8u; k++) {
      let pixels = pixel_tile[k * quads + quad];
      let first = weight_tile[2u * (k * groups + group)];
      let second = weight_tile[2u * (k * groups + group) + 1u];
      sum0 += first.x * pixels;
      sum1 += first.y * pixels;
      sum2 += first.z * pixels;
      sum3 += first.w * pixels;
      sum4 += second.x * pixels;
      sum5 += second.y * pixels;
      sum6 += second.z * pixels;
      sum7 += second.w * pixels;
    }
    workgroupBarrier();
  }
  store_quad(sum0, n, o, y, x);
  store_quad(sum1, n, o + 1u, y, x);
  store_quad(sum2, n, o + 2u, y, x);
  store_quad(sum3, n, o + 3u, y, x);
  store_quad(sum4, n, o + 4u, y, x);
  store_quad(sum5, n, o + 5u, y, x);
  store_quad(sum6, n, o + 6u, y, x);
  store_quad(sum7, n, o + 7u, y, x);
}
