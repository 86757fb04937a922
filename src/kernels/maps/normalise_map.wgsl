// Min-max normalisation of one map, for display.
//
//   output[i] = (input[i] - min) / (max - min), and 0 everywhere where max = min
//
// Shapes: input and output [count], range one pair (min, max) of the input's values (map_ranges).
// A flat map shows nothing; it must never become NaN. One invocation a value: reads 4 bytes and the
// range, writes 4, 2 FLOP and a division.

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> range: array<vec2f, 1>;
@group(0) @binding(2) var<storage, read> input: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.count) {
    return;
  }
  let low = range[0].x;
  let high = range[0].y;
  var value = 0.0;
  if (high > low) {
    // WGSL's division may be off by 2.5 ULP, so even max / max may come out above 1.
    value = clamp((input[i] - low) / (high - low), 0.0, 1.0);
  }
  output[i] = value;
}
