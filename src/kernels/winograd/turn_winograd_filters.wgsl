// The same as turn_filters.wgsl where a layer has its filters for Winograd only: the 3x3 filters are read
// back out of U = G g G^T, so that nothing need be kept for a way back that may never be asked for.
//
//   G's rows 0, 1, 2 and 5 give  g0 = 81/64 u0,  g1 = 81/64 (u2 - u1),  g2 = u5,  along columns, then along rows
//   turned[o, 8 - (3 ky + kx), c] = g[ky, kx]        of the filter from channel c to channel o
//
// Shapes: filters [36, channels, out_channels rounded up to 8], turned [out_channels, 9, channels rounded up
// to 8]: as packConv says. The differences cancel: a weight is off by at most about 24 u (u = 2^-24) of
// the largest in its filter.
// One invocation four input channels of one output channel, neighbours on neighbouring outputs. Reads 64
// values, writes 9 vec4f. Precondition: fewer than 2^31 elements.

struct Params {
  channels: u32,
  out_channels: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> filters: array<f32>;
@group(0) @binding(2) var<storage, read_write> turned: array<vec4f>;

// Three values, each of the filters from four channels.
struct Three {
  g0: vec4f,
  g1: vec4f,
  g2: vec4f,
}

fn recovered(u0: vec4f, u1: vec4f, u2: vec4f, u5: vec4f) -> Three {
  return Three(1.265625 * u0, 1.265625 * (u2 - u1), u5);
}

fn value(row: u32, column: u32, c: u32, o: u32) -> f32 {
  let out_stride = (params.out_channels + 7u) / 8u * 8u;
  if (c >= params.channels) {
    return 0.0;
  }
  return filters[((6u * row + column) * params.channels + c) * out_stride + o];
}

fn four(row: u32, column: u32, c: u32, o: u32) -> vec4f {
  return vec4f(
    value(row, column, c, o),
    value(row, column, c + 1u, o),
    value(row, column, c + 2u, o),
    value(row, column, c + 3u, o),
  );
}

// Column `column` of g G^T.
fn column_of(column: u32, c: u32, o: u32) -> Three {
  return recovered(
    four(0u, column, c, o),
    four(1u, column, c, o),
    four(2u, column, c, o),
    four(5u, column, c, o),
  );
}

fn store(at: u32, pitch: u32, ky: u32, row: Three) {
  turned[at + (8u - 3u * ky) * pitch] = row.g0;
  turned[at + (7u - 3u * ky) * pitch] = row.g1;
  turned[at + (6u - 3u * ky) * pitch] = row.g2;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  let pitch = (params.channels + 7u) / 8u * 2u;
  if (i >= params.out_channels * pitch) {
    return;
  }
  let o = i % params.out_channels;
  let c = i / params.out_channels * 4u;
  let a = column_of(0u, c, o);
  let b = column_of(1u, c, o);
  let d = column_of(2u, c, o);
  let e = column_of(5u, c, o);
  let at = o * 9u * pitch + c / 4u;
  store(at, pitch, 0u, recovered(a.g0, b.g0, d.g0, e.g0));
  store(at, pitch, 1u, recovered(a.g1, b.g1, d.g1, e.g1));
  store(at, pitch, 2u, recovered(a.g2, b.g2, d.g2, e.g2));
}
