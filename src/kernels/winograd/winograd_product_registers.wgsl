// Winograd, second of three kernels: the matrix products, in registers alone, no barrier. F(4x4, 3x3) has 36 of
// them. For software adapters.
//
//   M[e, o, t] = sum_c U[e, c, o] V[e, c, t]        e in workgroup z
//
// Shapes: filters U [e, channels, out_stride] and, in blocks of 16 tiles, transformed V
// [e, stride / 16, channels, 16], both read four at a time, and product M [e, stride / 16, out_stride, 16]: what one
// invocation reads of V stands in a row. out_stride is a multiple of 8, stride one of 16.
// GEMM: M = out_stride, N = stride, K = channels; 2 M N K FLOPs for each e. An invocation
// computes 8 output channels x 16 tiles: 6 vec4f read for 128 multiply-adds. Its 32 sums are variables
// of their own, because SwiftShader keeps an array at a fixed address at best, and they get two channels at a
// time, because it keeps a variable in memory: that halves the reads and writes of sums. (Four at a time:
// twice as slow.) Neighbours take neighbouring channels of the same tiles, so that small maps, with few
// tiles, fill the lanes too.

import package::winograd::stored::{Stored4, store_m};

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
  let stride = params.stride / 16u;
  if (id.x >= blocks * stride) {
    return;
  }
  let block = id.x % blocks;
  let tiles = id.z * stride + id.x / blocks;
  let pitch = params.out_stride / 4u;
  var u_at = id.z * params.channels * pitch + block * 2u;
  var v_at = tiles * params.channels * 4u;
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
  var c = 0u;
  for (; c + 2u <= params.channels; c += 2u) {
    let u0a = vec4f(filters[u_at]);
    let u1a = vec4f(filters[u_at + 1u]);
    let v0a = vec4f(transformed[v_at]);
    let v1a = vec4f(transformed[v_at + 1u]);
    let v2a = vec4f(transformed[v_at + 2u]);
    let v3a = vec4f(transformed[v_at + 3u]);
    let u0b = vec4f(filters[u_at + pitch]);
    let u1b = vec4f(filters[u_at + pitch + 1u]);
    let v0b = vec4f(transformed[v_at + 4u]);
    let v1b = vec4f(transformed[v_at + 5u]);
    let v2b = vec4f(transformed[v_at + 6u]);
    let v3b = vec4f(transformed[v_at + 7u]);
    s00 += u0a.x * v0a + u0b.x * v0b;
    s01 += u0a.x * v1a + u0b.x * v1b;
    s02 += u0a.x * v2a + u0b.x * v2b;
    s03 += u0a.x * v3a + u0b.x * v3b;
    s10 += u0a.y * v0a + u0b.y * v0b;
    s11 += u0a.y * v1a + u0b.y * v1b;
    s12 += u0a.y * v2a + u0b.y * v2b;
    s13 += u0a.y * v3a + u0b.y * v3b;
    s20 += u0a.z * v0a + u0b.z * v0b;
    s21 += u0a.z * v1a + u0b.z * v1b;
    s22 += u0a.z * v2a + u0b.z * v2b;
    s23 += u0a.z * v3a + u0b.z * v3b;
    s30 += u0a.w * v0a + u0b.w * v0b;
    s31 += u0a.w * v1a + u0b.w * v1b;
    s32 += u0a.w * v2a + u0b.w * v2b;
    s33 += u0a.w * v3a + u0b.w * v3b;
    s40 += u1a.x * v0a + u1b.x * v0b;
    s41 += u1a.x * v1a + u1b.x * v1b;
    s42 += u1a.x * v2a + u1b.x * v2b;
    s43 += u1a.x * v3a + u1b.x * v3b;
    s50 += u1a.y * v0a + u1b.y * v0b;
    s51 += u1a.y * v1a + u1b.y * v1b;
    s52 += u1a.y * v2a + u1b.y * v2b;
    s53 += u1a.y * v3a + u1b.y * v3b;
    s60 += u1a.z * v0a + u1b.z * v0b;
    s61 += u1a.z * v1a + u1b.z * v1b;
    s62 += u1a.z * v2a + u1b.z * v2b;
    s63 += u1a.z * v3a + u1b.z * v3b;
    s70 += u1a.w * v0a + u1b.w * v0b;
    s71 += u1a.w * v1a + u1b.w * v1b;
    s72 += u1a.w * v2a + u1b.w * v2b;
    s73 += u1a.w * v3a + u1b.w * v3b;
    u_at += 2u * pitch;
    v_at += 8u;
  }
  // The last one of an odd number.
  if (c < params.channels) {
    let u0a = vec4f(filters[u_at]);
    let u1a = vec4f(filters[u_at + 1u]);
    let v0a = vec4f(transformed[v_at]);
    let v1a = vec4f(transformed[v_at + 1u]);
    let v2a = vec4f(transformed[v_at + 2u]);
    let v3a = vec4f(transformed[v_at + 3u]);
    s00 += u0a.x * v0a;
    s01 += u0a.x * v1a;
    s02 += u0a.x * v2a;
    s03 += u0a.x * v3a;
    s10 += u0a.y * v0a;
    s11 += u0a.y * v1a;
    s12 += u0a.y * v2a;
    s13 += u0a.y * v3a;
    s20 += u0a.z * v0a;
    s21 += u0a.z * v1a;
    s22 += u0a.z * v2a;
    s23 += u0a.z * v3a;
    s30 += u0a.w * v0a;
    s31 += u0a.w * v1a;
    s32 += u0a.w * v2a;
    s33 += u0a.w * v3a;
    s40 += u1a.x * v0a;
    s41 += u1a.x * v1a;
    s42 += u1a.x * v2a;
    s43 += u1a.x * v3a;
    s50 += u1a.y * v0a;
    s51 += u1a.y * v1a;
    s52 += u1a.y * v2a;
    s53 += u1a.y * v3a;
    s60 += u1a.z * v0a;
    s61 += u1a.z * v1a;
    s62 += u1a.z * v2a;
    s63 += u1a.z * v3a;
    s70 += u1a.w * v0a;
    s71 += u1a.w * v1a;
    s72 += u1a.w * v2a;
    s73 += u1a.w * v3a;
  }
  let at = (tiles * params.out_stride + block * 8u) * 4u;
  product[at + 0u] = store_m(s00);
  product[at + 1u] = store_m(s01);
  product[at + 2u] = store_m(s02);
  product[at + 3u] = store_m(s03);
  product[at + 4u] = store_m(s10);
  product[at + 5u] = store_m(s11);
  product[at + 6u] = store_m(s12);
  product[at + 7u] = store_m(s13);
  product[at + 8u] = store_m(s20);
  product[at + 9u] = store_m(s21);
  product[at + 10u] = store_m(s22);
  product[at + 11u] = store_m(s23);
  product[at + 12u] = store_m(s30);
  product[at + 13u] = store_m(s31);
  product[at + 14u] = store_m(s32);
  product[at + 15u] = store_m(s33);
  product[at + 16u] = store_m(s40);
  product[at + 17u] = store_m(s41);
  product[at + 18u] = store_m(s42);
  product[at + 19u] = store_m(s43);
  product[at + 20u] = store_m(s50);
  product[at + 21u] = store_m(s51);
  product[at + 22u] = store_m(s52);
  product[at + 23u] = store_m(s53);
  product[at + 24u] = store_m(s60);
  product[at + 25u] = store_m(s61);
  product[at + 26u] = store_m(s62);
  product[at + 27u] = store_m(s63);
  product[at + 28u] = store_m(s70);
  product[at + 29u] = store_m(s71);
  product[at + 30u] = store_m(s72);
  product[at + 31u] = store_m(s73);
}
