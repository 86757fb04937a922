// Winograd F(2x2, 3x3): the filters, transformed once at load where they are kept.
//
//   U[4 i + j, c, o] = (G g G^T)[i, j]      g: the 3x3 filter from channel c to o
//   G = [1 0 0; 1/2 1/2 1/2; 1/2 -1/2 1/2; 0 0 1]
//
// Shapes: weights [channels, 3, 3, out_stride] Four, see packConv (one of four_*.wgsl and one of stored_*.wgsl
// stand in front of this text); filters [16, channels, out_stride], written four at a time. out_stride is a
// multiple of 8; its padding is zero and stays it.
// One invocation an input channel and four output channels, neighbours on neighbouring outputs. Reads 9 Four and
// writes 16 vec4: 1.78 values for each weight; about 60 vec4f operations, in registers.
// Preconditions: kernel 3, fewer than 2^31 elements.

struct Params {
  channels: u32,
  out_stride: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> weights: array<Four>;
@group(0) @binding(2) var<storage, read_write> filters: array<Stored4>;

// G applied to three values, each of four filters.
struct FourRows {
  u0: vec4f,
  u1: vec4f,
  u2: vec4f,
  u3: vec4f,
}

fn transform(g0: vec4f, g1: vec4f, g2: vec4f) -> FourRows {
  let outer = 0.5 * (g0 + g2);
  let middle = 0.5 * g1;
  return FourRows(g0, outer + middle, outer - middle, g2);
}

// Row i of U, from the three values of row i of G g.
fn store(at: u32, step: u32, i: u32, g0: vec4f, g1: vec4f, g2: vec4f) {
  let row = transform(g0, g1, g2);
  filters[at + (4u * i + 0u) * step] = store_u(row.u0);
  filters[at + (4u * i + 1u) * step] = store_u(row.u1);
  filters[at + (4u * i + 2u) * step] = store_u(row.u2);
  filters[at + (4u * i + 3u) * step] = store_u(row.u3);
}

fn column(at: u32, pitch: u32, x: u32) -> FourRows {
  return transform(
    unpack(weights[at + x * pitch]),
    unpack(weights[at + (x + 3u) * pitch]),
    unpack(weights[at + (x + 6u) * pitch]),
  );
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  let pitch = params.out_stride / 4u;
  if (index >= params.channels * pitch) {
    return;
  }
  let channel = index / pitch;
  let four = index % pitch;
  let from_at = channel * 9u * pitch + four;
  let c0 = column(from_at, pitch, 0u);
  let c1 = column(from_at, pitch, 1u);
  let c2 = column(from_at, pitch, 2u);
  // Filters [16, channels, pitch]: index is already [channel, four].
  let step = params.channels * pitch;
  store(index, step, 0u, c0.u0, c1.u0, c2.u0);
  store(index, step, 1u, c0.u1, c1.u1, c2.u1);
  store(index, step, 2u, c0.u2, c1.u2, c2.u2);
  store(index, step, 3u, c0.u3, c1.u3, c2.u3);
}
