// Fully connected layer, one row shard of its weights, in registers only, for software adapters with subgroups:
// linear_registers.wgsl with the inputs read once for four invocations.
// What it computes, and the shapes: layer.wgsl.
// GEMM mapping: M = batch, N = outputs, K = IN_FEATURES. A workgroup is one subgroup of LANES invocations, in fours. A
// quad computes 16 outputs of ROWS images, four an invocation; a step takes 4 of K. A read costs SwiftShader some 130
// instructions, whether its four invocations want one number or four: so each reads one of the four inputs of a step,
// and quadBroadcast hands it round. 4 reads of weights and ROWS of inputs for 16 ROWS multiply-adds, where
// linear_registers has 4 and 4 ROWS. Outputs and images past the end repeat the last one; they are not stored. ROWS is
// 1, 4 or 8: the branches on it are gone once the pipeline is compiled.

import package::linear::layer::{IN_FEATURES, input, params, row_starts, store4, weights};
import package::shared::weights::unpack;
import constants::LANES;

enable subgroups;

override ROWS: u32;

// Four inputs of an image, of which this invocation reads the one at `k`. Beyond the end of an image stands another.
fn four_inputs(row: u32, k: u32) -> vec4f {
  let own = select(0.0, input[row + k], k < IN_FEATURES);
  return vec4f(
    quadBroadcast(own, 0u),
    quadBroadcast(own, 1u),
    quadBroadcast(own, 2u),
    quadBroadcast(own, 3u),
  );
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(subgroup_invocation_id) invocation: u32) {
  let lane = invocation % 4u;
  let n = group.y * ROWS;
  if (n >= params.batch) {
    return;
  }
  let first = (group.x * LANES + invocation) * 4u;
  let weight_rows = row_starts(first, params.shard_outputs, (IN_FEATURES + 3u) / 4u);
  let rows = row_starts(n, params.batch, IN_FEATURES);
  let more_rows = row_starts(n + 4u, params.batch, IN_FEATURES);
  // Row vector times matrix: four dot products, those of one image.
  var totals = mat4x4f();
  var more_totals = mat4x4f();
  for (var step = 0u; step < (IN_FEATURES + 3u) / 4u; step++) {
    // Column j: four weights of output j.
    let w = mat4x4f(
      unpack(weights[weight_rows.x + step]),
      unpack(weights[weight_rows.y + step]),
      unpack(weights[weight_rows.z + step]),
      unpack(weights[weight_rows.w + step]),
    );
    let k = 4u * step + lane;
    totals[0] += four_inputs(rows.x, k) * w;
    if (ROWS > 1u) {
      totals[1] += four_inputs(rows.y, k) * w;
      totals[2] += four_inputs(rows.z, k) * w;
      totals[3] += four_inputs(rows.w, k) * w;
    }
    if (ROWS > 4u) {
      more_totals[0] += four_inputs(more_rows.x, k) * w;
      more_totals[1] += four_inputs(more_rows.y, k) * w;
      more_totals[2] += four_inputs(more_rows.z, k) * w;
      more_totals[3] += four_inputs(more_rows.w, k) * w;
    }
  }
  for (var i = 0u; i < min(ROWS, 4u); i++) {
    store4(n + i, first, totals[i]);
  }
  if (ROWS > 4u) {
    for (var i = 0u; i < 4u; i++) {
      store4(n + 4u + i, first, more_totals[i]);
    }
  }
}
