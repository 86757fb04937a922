// Winograd, second of three kernels: the matrix products, in registers alone, shared among four invocations. For
// software adapters whose subgroups are quads, as SwiftShader's, or several of them, as lavapipe's.
//
//   M[e, o, t] = sum_c U[e, c, o] V[e, c, t]        e in workgroup z
//
// Shapes: filters U [e, channels, out_stride]; in blocks of 16 tiles transformed V [e, stride / 16, channels, 16] and
// product M [e, stride / 16, out_stride, 16]. channels is a multiple of 4, out_stride one of 32, stride one of 16.
// GEMM: M = out_stride, N = stride, K = channels; 2 M N K FLOPs for each e. A workgroup is one subgroup of LANES
// invocations, in fours. A quad computes 32 output channels x 16 tiles: 8 channels by all 16 tiles an invocation, 4
// input channels at a time. One beyond the last computes what the last does, and does not store it.
// What costs on SwiftShader is not arithmetic but reading: one number for each of four invocations takes some 80
// instructions. So each invocation reads four of the 16 tiles and gets the others' by swaps, an instruction each: 12
// reads for 128 multiply-adds, where winograd_product_registers has 24. A sum that is kept from one round of the loop to the next
// takes 12 instructions a round, hence four channels a round; with 32 tiles the loop no longer fits the processor's
// instruction cache and takes 1.3 to 1.6 times as long. (Disassembled; docs/kernels.md has the count.)

import constants::LANES;

enable subgroups;

struct Params {
  channels: u32,
  out_stride: u32,
  stride: u32,
}

struct Eight {
  head: vec4f,
  tail: vec4f,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> filters: array<Eight>;
@group(0) @binding(2) var<storage, read> transformed: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> product: array<vec4f>;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(subgroup_invocation_id) invocation: u32,
) {
  let lane = invocation % 4u;
  let blocks = params.out_stride / 32u;
  let stride = params.stride / 16u;
  let own = (group.x + group.y * groups.x) * (LANES / 4u) + invocation / 4u;
  let job = min(own, blocks * stride - 1u);
  let block = job % blocks * 4u + lane;
  let tiles = group.z * stride + job / blocks;
  let pitch = params.out_stride / 8u;
  var u_at = group.z * params.channels * pitch + block;
  var v_at = tiles * params.channels * 4u + lane;
  // Sums of tile j of the four that invocation lane ^ i reads: output channels 0 to 3, and 4 to 7.
  var head00 = vec4f(0);
  var tail00 = vec4f(0);
  var head01 = vec4f(0);
  var tail01 = vec4f(0);
  var head02 = vec4f(0);
  var tail02 = vec4f(0);
  var head03 = vec4f(0);
  var tail03 = vec4f(0);
  var head10 = vec4f(0);
  var tail10 = vec4f(0);
  var head11 = vec4f(0);
  var tail11 = vec4f(0);
  var head12 = vec4f(0);
  var tail12 = vec4f(0);
  var head13 = vec4f(0);
  var tail13 = vec4f(0);
  var head20 = vec4f(0);
  var tail20 = vec4f(0);
  var head21 = vec4f(0);
  var tail21 = vec4f(0);
  var head22 = vec4f(0);
  var tail22 = vec4f(0);
  var head23 = vec4f(0);
  var tail23 = vec4f(0);
  var head30 = vec4f(0);
  var tail30 = vec4f(0);
  var head31 = vec4f(0);
  var tail31 = vec4f(0);
  var head32 = vec4f(0);
  var tail32 = vec4f(0);
  var head33 = vec4f(0);
  var tail33 = vec4f(0);
  for (var c = 0u; c < params.channels; c += 4u) {
    let u0 = filters[u_at];
    let u1 = filters[u_at + pitch];
    let u2 = filters[u_at + 2u * pitch];
    let u3 = filters[u_at + 3u * pitch];
    // Columns: four input channels of an output channel, or of a tile.
    let head = transpose(mat4x4f(u0.head, u1.head, u2.head, u3.head));
    let tail = transpose(mat4x4f(u0.tail, u1.tail, u2.tail, u3.tail));
    let v = transpose(
      mat4x4f(
        transformed[v_at],
        transformed[v_at + 4u],
        transformed[v_at + 8u],
        transformed[v_at + 12u],
      ),
    );
    let v00 = v[0];
    head00 += v00 * head;
    tail00 += v00 * tail;
    let v01 = v[1];
    head01 += v01 * head;
    tail01 += v01 * tail;
    let v02 = v[2];
    head02 += v02 * head;
    tail02 += v02 * tail;
    let v03 = v[3];
    head03 += v03 * head;
    tail03 += v03 * tail;
    let v10 = quadSwapX(v[0]);
    head10 += v10 * head;
    tail10 += v10 * tail;
    let v11 = quadSwapX(v[1]);
    head11 += v11 * head;
    tail11 += v11 * tail;
    let v12 = quadSwapX(v[2]);
    head12 += v12 * head;
    tail12 += v12 * tail;
    let v13 = quadSwapX(v[3]);
    head13 += v13 * head;
    tail13 += v13 * tail;
    let v20 = quadSwapY(v[0]);
    head20 += v20 * head;
    tail20 += v20 * tail;
    let v21 = quadSwapY(v[1]);
    head21 += v21 * head;
    tail21 += v21 * tail;
    let v22 = quadSwapY(v[2]);
    head22 += v22 * head;
    tail22 += v22 * tail;
    let v23 = quadSwapY(v[3]);
    head23 += v23 * head;
    tail23 += v23 * tail;
    let v30 = quadSwapDiagonal(v[0]);
    head30 += v30 * head;
    tail30 += v30 * tail;
    let v31 = quadSwapDiagonal(v[1]);
    head31 += v31 * head;
    tail31 += v31 * tail;
    let v32 = quadSwapDiagonal(v[2]);
    head32 += v32 * head;
    tail32 += v32 * tail;
    let v33 = quadSwapDiagonal(v[3]);
    head33 += v33 * head;
    tail33 += v33 * tail;
    u_at += 4u * pitch;
    v_at += 16u;
  }
  if (own != job) {
    return;
  }
  let at = (tiles * params.out_stride + block * 8u) * 4u + lane;
  product[at] = vec4f(head00.x, head01.x, head02.x, head03.x);
  product[at ^ 1u] = vec4f(head10.x, head11.x, head12.x, head13.x);
  product[at ^ 2u] = vec4f(head20.x, head21.x, head22.x, head23.x);
  product[at ^ 3u] = vec4f(head30.x, head31.x, head32.x, head33.x);
  product[at + 4u] = vec4f(head00.y, head01.y, head02.y, head03.y);
  product[(at + 4u) ^ 1u] = vec4f(head10.y, head11.y, head12.y, head13.y);
  product[(at + 4u) ^ 2u] = vec4f(head20.y, head21.y, head22.y, head23.y);
  product[(at + 4u) ^ 3u] = vec4f(head30.y, head31.y, head32.y, head33.y);
  product[at + 8u] = vec4f(head00.z, head01.z, head02.z, head03.z);
  product[(at + 8u) ^ 1u] = vec4f(head10.z, head11.z, head12.z, head13.z);
  product[(at + 8u) ^ 2u] = vec4f(head20.z, head21.z, head22.z, head23.z);
  product[(at + 8u) ^ 3u] = vec4f(head30.z, head31.z, head32.z, head33.z);
  product[at + 12u] = vec4f(head00.w, head01.w, head02.w, head03.w);
  product[(at + 12u) ^ 1u] = vec4f(head10.w, head11.w, head12.w, head13.w);
  product[(at + 12u) ^ 2u] = vec4f(head20.w, head21.w, head22.w, head23.w);
  product[(at + 12u) ^ 3u] = vec4f(head30.w, head31.w, head32.w, head33.w);
  product[at + 16u] = vec4f(tail00.x, tail01.x, tail02.x, tail03.x);
  product[(at + 16u) ^ 1u] = vec4f(tail10.x, tail11.x, tail12.x, tail13.x);
  product[(at + 16u) ^ 2u] = vec4f(tail20.x, tail21.x, tail22.x, tail23.x);
  product[(at + 16u) ^ 3u] = vec4f(tail30.x, tail31.x, tail32.x, tail33.x);
  product[at + 20u] = vec4f(tail00.y, tail01.y, tail02.y, tail03.y);
  product[(at + 20u) ^ 1u] = vec4f(tail10.y, tail11.y, tail12.y, tail13.y);
  product[(at + 20u) ^ 2u] = vec4f(tail20.y, tail21.y, tail22.y, tail23.y);
  product[(at + 20u) ^ 3u] = vec4f(tail30.y, tail31.y, tail32.y, tail33.y);
  product[at + 24u] = vec4f(tail00.z, tail01.z, tail02.z, tail03.z);
  product[(at + 24u) ^ 1u] = vec4f(tail10.z, tail11.z, tail12.z, tail13.z);
  product[(at + 24u) ^ 2u] = vec4f(tail20.z, tail21.z, tail22.z, tail23.z);
  product[(at + 24u) ^ 3u] = vec4f(tail30.z, tail31.z, tail32.z, tail33.z);
  product[at + 28u] = vec4f(tail00.w, tail01.w, tail02.w, tail03.w);
  product[(at + 28u) ^ 1u] = vec4f(tail10.w, tail11.w, tail12.w, tail13.w);
  product[(at + 28u) ^ 2u] = vec4f(tail20.w, tail21.w, tail22.w, tail23.w);
  product[(at + 28u) ^ 3u] = vec4f(tail30.w, tail31.w, tail32.w, tail33.w);
}
