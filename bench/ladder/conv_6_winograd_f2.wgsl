// The ladder, 3x3 convolution, rung 6: Winograd F(2x2, 3x3) in one kernel (Lavin and Gray 2016, section 4.1).
// 16 products give 4 outputs that take 36 directly, 2.25 times fewer; the transforms of input and output,
// bias and activation are fused with the products, so that nothing between is stored.
//
//   M[o]   = sum_c (G g[o, c] G^T) o (B^T d[c] B)       d: the 4x4 pixels under the 2x2 output tile
//   output = max(A^T M[o] A + bias[o], 0) + activation min(A^T M[o] A + bias[o], 0)
//
// Shapes: input [batch, in_channels, height, width], filters [in_channels, 16, stride / 4] vec4f as
// winograd_f2_filters leaves them, bias [stride], output [batch, out_channels, height, width]; stride is
// out_channels rounded up to 8.
// One invocation a tile and four output channels; 16 vec4f of sums in registers. Cost for each input
// channel: 16 pixels and 64 filter values for 64 multiply-adds that stand for 144; every invocation of the
// same tile transforms the input anew (32 additions).

struct Params {
  batch: u32,
  in_channels: u32,
  out_channels: u32,
  height: u32,
  width: u32,
  activation: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> filters: array<vec4f>;
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;

fn pixel(plane: u32, row: u32, column: u32) -> f32 {
  if (row >= params.height || column >= params.width) {
    return 0.0;
  }
  return input[(plane * params.height + row) * params.width + column];
}

// B^T applied to the four columns of one row of pixels.
fn transform(d: vec4f) -> vec4f {
  return vec4f(d.x - d.z, d.y + d.z, d.z - d.y, d.y - d.w);
}

fn row(plane: u32, y: u32, x: u32) -> vec4f {
  return transform(vec4f(
    pixel(plane, y, x),
    pixel(plane, y, x + 1u),
    pixel(plane, y, x + 2u),
    pixel(plane, y, x + 3u),
  ));
}

fn store(sum: vec4f, n: u32, four: u32, y: u32, x: u32) {
  if (y >= params.height || x >= params.width) {
    return;
  }
  let biased = sum + bias[four];
  let value = max(biased, vec4f(0)) + params.activation * min(biased, vec4f(0));
  let size = params.height * params.width;
  for (var i = 0u; i < 4u && 4u * four + i < params.out_channels; i++) {
    output[(n * params.out_channels + 4u * four + i) * size + y * params.width + x] = value[i];
  }
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  let across = (params.width + 1u) / 2u;
  let down = (params.height + 1u) / 2u;
  let fours = (params.out_channels + 3u) / 4u;
  if (index >= params.batch * fours * down * across) {
    return;
  }
  let x = index % across * 2u;
  let y = index / across % down * 2u;
  let four = index / across / down % fours;
  let n = index / across / down / fours;
  let pitch = (params.out_channels + 7u) / 8u * 2u;
  var m00 = vec4f(0);
  var m01 = vec4f(0);
  var m02 = vec4f(0);
  var m03 = vec4f(0);
  var m10 = vec4f(0);
  var m11 = vec4f(0);
  var m12 = vec4f(0);
  var m13 = vec4f(0);
  var m20 = vec4f(0);
  var m21 = vec4f(0);
  var m22 = vec4f(0);
  var m23 = vec4f(0);
  var m30 = vec4f(0);
  var m31 = vec4f(0);
  var m32 = vec4f(0);
  var m33 = vec4f(0);
  var at = four;
  for (var c = 0u; c < params.in_channels; c++) {
    let plane = n * params.in_channels + c;
    let r0 = row(plane, y - 1u, x - 1u);
    let r1 = row(plane, y, x - 1u);
    let r2 = row(plane, y + 1u, x - 1u);
    let r3 = row(plane, y + 2u, x - 1u);
    let v0 = r0 - r2;
    let v1 = r1 + r2;
    let v2 = r2 - r1;
    let v3 = r1 - r3;
    m00 += filters[at] * v0.x;
    m01 += filters[at + pitch] * v0.y;
    m02 += filters[at + 2u * pitch] * v0.z;
    m03 += filters[at + 3u * pitch] * v0.w;
    m10 += filters[at + 4u * pitch] * v1.x;
    m11 += filters[at + 5u * pitch] * v1.y;
    m12 += filters[at + 6u * pitch] * v1.z;
    m13 += filters[at + 7u * pitch] * v1.w;
    m20 += filters[at + 8u * pitch] * v2.x;
    m21 += filters[at + 9u * pitch] * v2.y;
    m22 += filters[at + 10u * pitch] * v2.z;
    m23 += filters[at + 11u * pitch] * v2.w;
    m30 += filters[at + 12u * pitch] * v3.x;
    m31 += filters[at + 13u * pitch] * v3.y;
    m32 += filters[at + 14u * pitch] * v3.z;
    m33 += filters[at + 15u * pitch] * v3.w;
    at += 16u * pitch;
  }
  // A^T M: the sums of rows; then A from the right.
  let u0 = m00 + m10 + m20;
  let u1 = m01 + m11 + m21;
  let u2 = m02 + m12 + m22;
  let u3 = m03 + m13 + m23;
  let l0 = m10 - m20 - m30;
  let l1 = m11 - m21 - m31;
  let l2 = m12 - m22 - m32;
  let l3 = m13 - m23 - m33;
  store(u0 + u1 + u2, n, four, y, x);
  store(u1 - u2 - u3, n, four, y, x + 1u);
  store(l0 + l1 + l2, n, four, y + 1u, x);
  store(l1 - l2 - l3, n, four, y + 1u, x + 1u);
}
