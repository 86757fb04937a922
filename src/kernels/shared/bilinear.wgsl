// Bilinear interpolation, shared by every kernel that reads a map at another resolution.
//
// The positions are those of torch.nn.functional.interpolate(mode='bilinear'), for output index i:
//   align_corners false   source = max((i + 1/2) in / out - 1/2, 0)
//   align_corners true    source = i (in - 1) / (out - 1)
// Interpolation is separable, so a kernel finds the taps of its rows and of its columns once and mixes.

// source = low + weight, 0 <= weight < 1; on the last sample high is low and the weight is 0.
struct Taps {
  low: u32,
  high: u32,
  weight: f32,
}

// Preconditions: in_size and out_size at least 1, 2 (out_size + 1) in_size below 2^32.
fn bilinear_taps(i: u32, in_size: u32, out_size: u32, align_corners: bool) -> Taps {
  // As an exact fraction: the index never depends on how a GPU rounds a division, the weight is
  // rounded once, and the same map gives the same mask in every kernel.
  var numerator = (2u * i + 1u) * in_size;
  numerator -= min(numerator, out_size);
  var denominator = 2u * out_size;
  if (align_corners) {
    numerator = i * (in_size - 1u);
    denominator = max(out_size, 2u) - 1u;
  }
  // Beyond the last sample there is only the last sample.
  numerator = min(numerator, (in_size - 1u) * denominator);
  let low = numerator / denominator;
  let weight = f32(numerator - low * denominator) / f32(denominator);
  return Taps(low, min(low + 1u, in_size - 1u), weight);
}

// The value between four samples, named by row then column.
fn bilinear_mix(
  low_low: f32,
  low_high: f32,
  high_low: f32,
  high_high: f32,
  row_weight: f32,
  column_weight: f32,
) -> f32 {
  let top = low_low + (low_high - low_low) * column_weight;
  let bottom = high_low + (high_high - high_low) * column_weight;
  return top + (bottom - top) * row_weight;
}

// The same positions in floating point, four at a time, for kernels that sweep a few samples over many
// outputs and for which twenty integer divisions would be most of the work. They are off by at most
// 4 u in_size (u = 2^-24), and interpolation is continuous, so a value is hardly off at all.
fn bilinear_positions(i: vec4f, in_size: u32, out_size: u32, align_corners: bool) -> vec4f {
  let last = f32(in_size - 1u);
  if (align_corners) {
    return min(i * (last / f32(max(out_size, 2u) - 1u)), vec4f(last));
  }
  return clamp((i + 0.5) * (f32(in_size) / f32(out_size)) - 0.5, vec4f(0), vec4f(last));
}

// The share of sample `tap` in the values at these positions: none from one sample away on.
fn bilinear_shares(positions: vec4f, tap: u32) -> vec4f {
  return max(1.0 - abs(positions - f32(tap)), vec4f(0));
}
