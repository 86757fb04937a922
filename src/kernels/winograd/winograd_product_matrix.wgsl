// Winograd, second of three kernels, by matrix units: the matrix products of winograd_product_workgroup.wgsl where
// U, V and M are f16 and the device multiplies small matrices in one instruction a subgroup.
// COMPILED BUT NOT YET RUN ON HARDWARE: no device at hand had the feature. Nothing chooses it until
// tuneConvolutions has compared it with the f32 kernel on the device itself.
//
//   M[e, o, t] = sum_c U[e, c, o] V[e, c, t]        e in workgroup z
//
// Shapes: filters U [e, channels, out_stride], transformed V [e, channels, stride], product M [e, out_stride, stride].
// GEMM: M = out_stride, N = stride, K = channels; 2 M N K FLOPs for each e. U has K outermost, so it is loaded as a
// column-major left matrix; V is a row-major right one.
//
// A workgroup computes 64 channels x 64 tiles. Its subgroups, however many there are, take turns at regions of
// 2 UNIT_M x 2 UNIT_N: four loads for four products of units. Operands come straight from the buffers: a workgroup
// reads 256 bytes of f16 for 4096 multiply-adds, 0.0625 bytes each, if its subgroups find each other's in the cache.
// The sums go through workgroup memory, 16 KiB, to become f16.
// Barrier: one, between writing the sums there and storing them; every invocation reaches it.
// Loads beyond the last channel or tile take the last unit instead, whose sum is not stored.
// Preconditions: out_stride, stride and channels multiples of UNIT_M, UNIT_N and UNIT_K; LANES, the workgroup, a
// multiple of the largest subgroup; fewer than 2^31 elements a tensor.

import package::winograd::stored::{Stored, Stored4, store_m};
import constants::{LANES, UNIT_K, UNIT_M, UNIT_N};
import chromium::{
  col_major,
  row_major,
  subgroupMatrixLoad,
  subgroupMatrixMultiplyAccumulate,
  subgroupMatrixStore,
  subgroup_matrix_left,
  subgroup_matrix_result,
  subgroup_matrix_right,
};

enable chromium_experimental_subgroup_matrix;
enable subgroups;
// Which loop round a subgroup runs is the same for all of its invocations, which the compiler cannot see.
diagnostic(off, chromium.subgroup_matrix_uniformity);

alias Left = subgroup_matrix_left<f16, UNIT_K, UNIT_M>;
alias Right = subgroup_matrix_right<f16, UNIT_N, UNIT_K>;
alias Sum = subgroup_matrix_result<f32, UNIT_N, UNIT_M>;

struct Params {
  channels: u32,
  out_stride: u32,
  stride: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> filters: array<Stored>;
@group(0) @binding(2) var<storage, read> transformed: array<Stored>;
@group(0) @binding(3) var<storage, read_write> product: array<Stored4>;

var<workgroup> sums: array<f32, 4096>;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(local_invocation_index) local: u32,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(num_subgroups) subgroups: u32,
) {
  let across = 64u / (2u * UNIT_N);
  let regions = 64u / (2u * UNIT_M) * across;
  for (var region = subgroup; region < regions; region += subgroups) {
    let row = region / across * 2u * UNIT_M;
    let column = region % across * 2u * UNIT_N;
    let o = wg.y * 64u + row;
    let t = wg.x * 64u + column;
    let o0 = min(o, params.out_stride - UNIT_M);
    let o1 = min(o + UNIT_M, params.out_stride - UNIT_M);
    let t0 = min(t, params.stride - UNIT_N);
    let t1 = min(t + UNIT_N, params.stride - UNIT_N);
    var s00 = Sum();
    var s01 = Sum();
    var s10 = Sum();
    var s11 = Sum();
    for (var c = 0u; c < params.channels; c += UNIT_K) {
      let u_at = (wg.z * params.channels + c) * params.out_stride;
      let v_at = (wg.z * params.channels + c) * params.stride;
      let u0 = subgroupMatrixLoad<Left, col_major>(&filters, u_at + o0, params.out_stride);
      let u1 = subgroupMatrixLoad<Left, col_major>(&filters, u_at + o1, params.out_stride);
      let v0 = subgroupMatrixLoad<Right, row_major>(&transformed, v_at + t0, params.stride);
      let v1 = subgroupMatrixLoad<Right, row_major>(&transformed, v_at + t1, params.stride);
      s00 = subgroupMatrixMultiplyAccumulate(u0, v0, s00);
      s01 = subgroupMatrixMultiplyAccumulate(u0, v1, s01);
      s10 = subgroupMatrixMultiplyAccumulate(u1, v0, s10);
      s11 = subgroupMatrixMultiplyAccumulate(u1, v1, s11);
    }
    let at = row * 64u + column;
    subgroupMatrixStore<row_major>(&sums, at, s00, 64u);
    subgroupMatrixStore<row_major>(&sums, at + UNIT_N, s01, 64u);
    subgroupMatrixStore<row_major>(&sums, at + UNIT_M * 64u, s10, 64u);
    subgroupMatrixStore<row_major>(&sums, at + UNIT_M * 64u + UNIT_N, s11, 64u);
  }
  workgroupBarrier();
  let pitch = params.stride / 4u;
  for (var i = local; i < 1024u; i += LANES) {
    let o = wg.y * 64u + i / 16u;
    let four = wg.x * 16u + i % 16u;
    if (o < params.out_stride && four < pitch) {
      let value = vec4f(sums[4u * i], sums[4u * i + 1u], sums[4u * i + 2u], sums[4u * i + 3u]);
      product[(wg.z * params.out_stride + o) * pitch + four] = store_m(value);
    }
  }
}
