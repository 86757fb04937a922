// Fully connected layer, one row shard of its weights, in registers only: the version for software
// adapters, where a barrier costs more than the memory traffic it saves.
// What it computes, and the shapes: layer.wgsl.
// GEMM mapping: M = batch, N = outputs, K = IN_FEATURES. One invocation computes 4 outputs of ROWS
// images; a step takes 4 of K, so that four weights are read and un-packed at once: 4 reads of weights
// and 4 ROWS inputs for 16 ROWS multiply-adds. Every weight is read ceil(batch / ROWS) times, every input
// ceil(shard_outputs / 4) times. Outputs and images past the end repeat the last one, so the loop has no
// branch; they are not stored. ROWS is 1, 4 or 8: the branches on it are gone once the pipeline is
// compiled.
// The products of a step are those of a row vector and a matrix, four dot products an image. Tried on
// SwiftShader and not kept: one of K at a step (1.3 to 1.6 times slower), a step's products as sums of outer
// products (no faster), and lanes over K with one barrier at the end (2 to 4 times slower at batch 1).

import package::linear::layer::{IN_FEATURES, input, params, row_starts, store4, weights};
import package::shared::weights::unpack;

override ROWS: u32;

fn four_inputs(at: u32) -> vec4f {
  return vec4f(input[at], input[at + 1u], input[at + 2u], input[at + 3u]);
}

// The last inputs of a row, when they are not four: beyond them stands another image.
fn last_inputs(row: u32) -> vec4f {
  let k = IN_FEATURES / 4u * 4u + vec4u(0u, 1u, 2u, 3u);
  let at = row + min(k, vec4u(IN_FEATURES - 1u));
  let x = vec4f(input[at.x], input[at.y], input[at.z], input[at.w]);
  return select(vec4f(0), x, k < vec4u(IN_FEATURES));
}

// Column j: four weights of output j.
fn weight_block(rows: vec4u, step: u32) -> mat4x4f {
  return mat4x4f(
    unpack(weights[rows.x + step]),
    unpack(weights[rows.y + step]),
    unpack(weights[rows.z + step]),
    unpack(weights[rows.w + step]),
  );
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let first = id.x * 4u;
  let n = id.y * ROWS;
  if (first >= params.shard_outputs || n >= params.batch) {
    return;
  }
  let weight_rows = row_starts(first, params.shard_outputs, (IN_FEATURES + 3u) / 4u);
  let rows = row_starts(n, params.batch, IN_FEATURES);
  let more_rows = row_starts(n + 4u, params.batch, IN_FEATURES);
  // Row vector times matrix: four dot products, those of one image.
  var totals = mat4x4f();
  var more_totals = mat4x4f();
  for (var step = 0u; step < IN_FEATURES / 4u; step++) {
    let w = weight_block(weight_rows, step);
    totals[0] += four_inputs(rows.x + 4u * step) * w;
    if (ROWS > 1u) {
      totals[1] += four_inputs(rows.y + 4u * step) * w;
      totals[2] += four_inputs(rows.z + 4u * step) * w;
      totals[3] += four_inputs(rows.w + 4u * step) * w;
    }
    if (ROWS > 4u) {
      more_totals[0] += four_inputs(more_rows.x + 4u * step) * w;
      more_totals[1] += four_inputs(more_rows.y + 4u * step) * w;
      more_totals[2] += four_inputs(more_rows.z + 4u * step) * w;
      more_totals[3] += four_inputs(more_rows.w + 4u * step) * w;
    }
  }
  if (IN_FEATURES % 4u != 0u) {
    let w = weight_block(weight_rows, IN_FEATURES / 4u);
    totals[0] += last_inputs(rows.x) * w;
    if (ROWS > 1u) {
      totals[1] += last_inputs(rows.y) * w;
      totals[2] += last_inputs(rows.z) * w;
      totals[3] += last_inputs(rows.w) * w;
    }
    if (ROWS > 4u) {
      more_totals[0] += last_inputs(more_rows.x) * w;
      more_totals[1] += last_inputs(more_rows.y) * w;
      more_totals[2] += last_inputs(more_rows.z) * w;
      more_totals[3] += last_inputs(more_rows.w) * w;
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
