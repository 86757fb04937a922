// Winograd F(4x4, 3x3), second of three kernels: 36 matrix products, in registers alone, no barrier.
//
//   M[e, o, t] = sum_c U[e, c, o] V[e, c, t]        e = 0 .. 35
//
// Shapes: filters U [36, channels, out_stride] and transformed V [36, channels, stride], both read four
// at a time; product M [36, out_stride, stride]. out_stride is a multiple of 8, stride one of 16.
// GEMM: M = out_stride, N = stride, K = channels, e in workgroup z; 2 M N K FLOPs each. An invocation
// computes 8 output channels x 16 tiles: 6 vec4f read for 128 multiply-adds. Its 32 sums are variables
// of their own, because SwiftShader keeps an array at a fixed address at best. Neighbours take
// neighbouring channels of the same tiles, so that small maps, with few tiles, fill the lanes too.

struct Params {
  channels: u32,
  out_stride: u32,
  stride: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> filters: array<vec4f>;
@group(0) @binding(2) var<storage, read> transformed: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> product: array<vec4f>;

@compute @workgroup_size(16)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let blocks = params.out_stride / 8u;
  let stride = params.stride / 4u;
  if (id.x >= blocks * stride / 4u) {
    return;
  }
  let block = id.x % blocks;
  let tiles = id.x / blocks * 4u;
  var u_at = id.z * params.channels * blocks * 2u + block * 2u;
  var v_at = id.z * params.channels * stride + tiles;
  var s00 = vec4f(0);
  var s01 = vec4f(0);
  var s02 = vec4f(0);
  var s03 = vec4f(0);
  var s10 = vec4f(0);
  var s11 = vec4f(0);
  var s12 = vec4f(0);
  var s13 = vec4f(0);
  var s20 = vec4f(0);
  var s21 = vec4f(0);
  var s22 = vec4f(0);
  var s23 = vec4f(0);
  var s30 = vec4f(0);
  var s31 = vec4f(0);
  var s32 = vec4f(0);
  var s33 = vec4f(0);
  var s40 = vec4f(0);
  var s41 = vec4f(0);
  var s42 = vec4f(0);
  var s43 = vec4f(0);
  var s50 = vec4f(0);
  var s51 = vec4f(0);
  var s52 = vec4f(0);
  var s53 = vec4f(0);
  var s60 = vec4f(0);
  var s61 = vec4f(0);
  var s62 = vec4f(0);
  var s63 = vec4f(0);
  var s70 = vec4f(0);
  var s71 = vec4f(0);
  var s72 = vec4f(0);
  var s73 = vec4f(0);
  for (var c = 0u; c < params.channels; c++) {
    let ua = filters[u_at];
    let ub = filters[u_at + 1u];
    let v0 = transformed[v_at];
    let v1 = transformed[v_at + 1u];
    let v2 = transformed[v_at + 2u];
    let v3 = transformed[v_at + 3u];
    s00 += ua.x * v0;
    s01 += ua.x * v1;
    s02 += ua.x * v2;
    s03 += ua.x * v3;
    s10 += ua.y * v0;
    s11 += ua.y * v1;
    s12 += ua.y * v2;
    s13 += ua.y * v3;
    s20 += ua.z * v0;
    s21 += ua.z * v1;
    s22 += ua.z * v2;
    s23 += ua.z * v3;
    s30 += ua.w * v0;
    s31 += ua.w * v1;
    s32 += ua.w * v2;
    s33 += ua.w * v3;
    s40 += ub.x * v0;
    s41 += ub.x * v1;
    s42 += ub.x * v2;
    s43 += ub.x * v3;
    s50 += ub.y * v0;
    s51 += ub.y * v1;
    s52 += ub.y * v2;
    s53 += ub.y * v3;
    s60 += ub.z * v0;
    s61 += ub.z * v1;
    s62 += ub.z * v2;
    s63 += ub.z * v3;
    s70 += ub.w * v0;
    s71 += ub.w * v1;
    s72 += ub.w * v2;
    s73 += ub.w * v3;
    u_at += blocks * 2u;
    v_at += stride;
  }
  let at = (id.z * params.out_stride + block * 8u) * stride + tiles;
  product[at + 0u * stride + 0u] = s00;
  product[at + 0u * stride + 1u] = s01;
  product[at + 0u * stride + 2u] = s02;
  product[at + 0u * stride + 3u] = s03;
  product[at + 1u * stride + 0u] = s10;
  product[at + 1u * stride + 1u] = s11;
  product[at + 1u * stride + 2u] = s12;
  product[at + 1u * stride + 3u] = s13;
  product[at + 2u * stride + 0u] = s20;
  product[at + 2u * stride + 1u] = s21;
  product[at + 2u * stride + 2u] = s22;
  product[at + 2u * stride + 3u] = s23;
  product[at + 3u * stride + 0u] = s30;
  product[at + 3u * stride + 1u] = s31;
  product[at + 3u * stride + 2u] = s32;
  product[at + 3u * stride + 3u] = s33;
  product[at + 4u * stride + 0u] = s40;
  product[at + 4u * stride + 1u] = s41;
  product[at + 4u * stride + 2u] = s42;
  product[at + 4u * stride + 3u] = s43;
  product[at + 5u * stride + 0u] = s50;
  product[at + 5u * stride + 1u] = s51;
  product[at + 5u * stride + 2u] = s52;
  product[at + 5u * stride + 3u] = s53;
  product[at + 6u * stride + 0u] = s60;
  product[at + 6u * stride + 1u] = s61;
  product[at + 6u * stride + 2u] = s62;
  product[at + 6u * stride + 3u] = s63;
  product[at + 7u * stride + 0u] = s70;
  product[at + 7u * stride + 1u] = s71;
  product[at + 7u * stride + 2u] = s72;
  product[at + 7u * stride + 3u] = s73;
}
