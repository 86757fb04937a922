// The heat map over the image.
//
//   output[i] = opacity colour(map[i]) + (1 - opacity) image[i],  alpha 1
//
// colour(t) lies at position 255 t among the 256 colours, mixed linearly between the two nearest.
// Shapes: map [count] in [0, 1]; image, output [count] and colours [256] are RGBA8, one u32 each, red
// in the lowest byte. Colours are mixed as stored (sRGB), as a canvas does; the image's own alpha is
// not looked at. One invocation a pixel: reads 16 bytes, writes 4, about 20 FLOP.

struct Params {
  count: u32,
  opacity: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> map: array<f32>;
@group(0) @binding(2) var<storage, read> image: array<u32>;
@group(0) @binding(3) var<storage, read> colours: array<u32, 256>;
@group(0) @binding(4) var<storage, read_write> output: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.count) {
    return;
  }
  let position = 255.0 * clamp(map[i], 0.0, 1.0);
  let low = u32(position);
  let high = min(low + 1u, 255u);
  let colour = mix(
    unpack4x8unorm(colours[low]),
    unpack4x8unorm(colours[high]),
    position - f32(low),
  );
  let pixel = mix(unpack4x8unorm(image[i]), colour, params.opacity);
  output[i] = pack4x8unorm(vec4f(pixel.rgb, 1.0));
}
