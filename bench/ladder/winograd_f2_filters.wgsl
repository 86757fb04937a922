// The filter transform of Winograd F(2x2, 3x3), once at load, for rung 6 of the ladder.
//
//   U[c, 4 i + j, o] = (G g G^T)[i, j]      g: the 3x3 filter from channel c to o
//   G = [1 0 0; 1/2 1/2 1/2; 1/2 -1/2 1/2; 0 0 1]
//
// Shapes: weights [channels, 3, 3, pitch] vec4f, see packConv; filters [channels, 16, pitch] vec4f. pitch is
// a quarter of the output channels rounded up to 8; the padding is zero and stays it.
// One invocation an input channel and four output channels: 9 vec4f read, 16 written.

struct Params {
  channels: u32,
  pitch: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> weights: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> filters: array<vec4f>;

struct Column {
  g0: vec4f,
  g1: vec4f,
  g2: vec4f,
  g3: vec4f,
}

fn transform(a: vec4f, b: vec4f, c: vec4f) -> Column {
  let outer = 0.5 * (a + c);
  let middle = 0.5 * b;
  return Column(a, outer + middle, outer - middle, c);
}

fn store(at: u32, a: vec4f, b: vec4f, c: vec4f) {
  let values = transform(a, b, c);
  filters[at] = values.g0;
  filters[at + params.pitch] = values.g1;
  filters[at + 2u * params.pitch] = values.g2;
  filters[at + 3u * params.pitch] = values.g3;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  if (index >= params.channels * params.pitch) {
    return;
  }
  let pitch = params.pitch;
  let four = index % pitch;
  let from_at = index / pitch * 9u * pitch + four;
  let x0 = transform(weights[from_at], weights[from_at + 3u * pitch], weights[from_at + 6u * pitch]);
  let x1 = transform(
    weights[from_at + pitch],
    weights[from_at + 4u * pitch],
    weights[from_at + 7u * pitch],
  );
  let x2 = transform(
    weights[from_at + 2u * pitch],
    weights[from_at + 5u * pitch],
    weights[from_at + 8u * pitch],
  );
  let to_at = index / pitch * 16u * pitch + four;
  store(to_at, x0.g0, x1.g0, x2.g0);
  store(to_at + 4u * pitch, x0.g1, x1.g1, x2.g1);
  store(to_at + 8u * pitch, x0.g2, x1.g2, x2.g2);
  store(to_at + 12u * pitch, x0.g3, x1.g3, x2.g3);
}
