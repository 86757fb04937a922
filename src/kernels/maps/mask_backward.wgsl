// The way back from a masked image to the map that its mask is: through the product and the min-max normalisation.
//
//   g[i]      = sum_c gradient[c, i] image[c, i]                                  of the mask's value at pixel i
//   result[i] = g[i] / (max - min)
//               + (i is the first minimum) sum_j g[j] (mask[j] - 1) / (max - min)
//               - (i is the first maximum) sum_j g[j] mask[j] / (max - min)
//
// Shapes: gradient and image [CHANNELS, PIXELS], full, mask and result [PIXELS], range one pair (min, max) of full. Of a flat
// map all is 0. One workgroup of 128 invocations, which sweep the pixels; 2 kB of workgroup memory, reduced by one of
// them. Reads 8 CHANNELS + 8 bytes a pixel and writes 4, 2 CHANNELS + 6 FLOP.

override CHANNELS: u32;
override PIXELS: u32;

const INVOCATIONS = 128u;

@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read> image: array<f32>;
@group(0) @binding(3) var<storage, read> full: array<f32>;
@group(0) @binding(4) var<storage, read> mask: array<f32>;
@group(0) @binding(5) var<storage, read> range: array<vec2f, 1>;
@group(0) @binding(6) var<storage, read_write> result: array<f32>;

// Of each invocation's pixels: the two sums, and the first pixel at the minimum and at the maximum.
var<workgroup> sums: array<vec2f, INVOCATIONS>;
var<workgroup> places: array<vec2u, INVOCATIONS>;

@compute @workgroup_size(128)
fn main(@builtin(local_invocation_index) index: u32) {
  let span = range[0].y - range[0].x;
  var sum = vec2f(0);
  var place = vec2u(PIXELS);
  for (var i = index; i < PIXELS; i += INVOCATIONS) {
    var g = 0.0;
    for (var c = 0u; c < CHANNELS; c++) {
      g += gradient[c * PIXELS + i] * image[c * PIXELS + i];
    }
    sum += g * vec2f(mask[i] - 1.0, -mask[i]);
    let at = vec2<bool>(full[i] == range[0].x, full[i] == range[0].y);
    place = min(place, select(vec2u(PIXELS), vec2u(i), at));
    result[i] = select(0.0, g / span, span > 0.0);
  }
  sums[index] = sum;
  places[index] = place;
  storageBarrier();
  workgroupBarrier();
  if (index == 0u && span > 0.0) {
    for (var i = 1u; i < INVOCATIONS; i++) {
      sum += sums[i];
      place = min(place, places[i]);
    }
    result[place.x] += sum.x / span;
    result[place.y] += sum.y / span;
  }
}
