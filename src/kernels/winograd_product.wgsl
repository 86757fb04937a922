// Winograd, second of three kernels: the matrix products, in registers alone, no barrier. F(4x4, 3x3) has 36 of
// them, F(2x2, 3x3) has 16. For software adapters. (One of stored_*.wgsl stands in front of this text.)
//
//   M[e, o, t] = sum_c U[e, c, o] V[e, c, t]        e in workgroup z
//
// Shapes: filters U [e, channels, out_stride] and transformed V [e, channels, stride], both read four
// at a time; product M [e, out_stride, stride]. out_stride is a multiple of 8, stride one of 16.
// GEMM: M = out_stride, N = stride, K = channels; 2 M N K FLOPs for each e. An invocation
// computes 8 output channels x 16 tiles: 6 vec4f read for 128 multiply-adds. Its 32 sums are variables
// of their own, because SwiftShader keeps an array at a fixed address at best. Neighbours take
// neighbouring channels of the same tiles, so that small maps, with few tiles, fill the lanes too.

struct Params {
  channels: u32,
  out_stride: u32,
  stride: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> filters: array<Stored4>;
@group(0) @binding(2) var<storage, read> transformed: array<Stored4>;
@group(0) @binding(3) var<storage, read_write> product: array<Stored4>;

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
    let ua = vec4f(filters[u_at]);
    let ub = vec4f(filters[u_at + 1u]);
    let v0 = vec4f(transformed[v_at]);
    let v1 = vec4f(transformed[v_at + 1u]);
    let v2 = vec4f(transformed[v_at + 2u]);
    let v3 = vec4f(transformed[v_at + 3u]);
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
  product[at + 0u * stride + 0u] = store_m(s00);
  product[at + 0u * stride + 1u] = store_m(s01);
  product[at + 0u * stride + 2u] = store_m(s02);
  product[at + 0u * stride + 3u] = store_m(s03);
  product[at + 1u * stride + 0u] = store_m(s10);
  product[at + 1u * stride + 1u] = store_m(s11);
  product[at + 1u * stride + 2u] = store_m(s12);
  product[at + 1u * stride + 3u] = store_m(s13);
  product[at + 2u * stride + 0u] = store_m(s20);
  product[at + 2u * stride + 1u] = store_m(s21);
  product[at + 2u * stride + 2u] = store_m(s22);
  product[at + 2u * stride + 3u] = store_m(s23);
  product[at + 3u * stride + 0u] = store_m(s30);
  product[at + 3u * stride + 1u] = store_m(s31);
  product[at + 3u * stride + 2u] = store_m(s32);
  product[at + 3u * stride + 3u] = store_m(s33);
  product[at + 4u * stride + 0u] = store_m(s40);
  product[at + 4u * stride + 1u] = store_m(s41);
  product[at + 4u * stride + 2u] = store_m(s42);
  product[at + 4u * stride + 3u] = store_m(s43);
  product[at + 5u * stride + 0u] = store_m(s50);
  product[at + 5u * stride + 1u] = store_m(s51);
  product[at + 5u * stride + 2u] = store_m(s52);
  product[at + 5u * stride + 3u] = store_m(s53);
  product[at + 6u * stride + 0u] = store_m(s60);
  product[at + 6u * stride + 1u] = store_m(s61);
  product[at + 6u * stride + 2u] = store_m(s62);
  product[at + 6u * stride + 3u] = store_m(s63);
  product[at + 7u * stride + 0u] = store_m(s70);
  product[at + 7u * stride + 1u] = store_m(s71);
  product[at + 7u * stride + 2u] = store_m(s72);
  product[at + 7u * stride + 3u] = store_m(s73);
}
