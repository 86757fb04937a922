// Softmax over the classes of each row.
//
//   probabilities[n, c] = exp(logits[n, c] - max_c) / sum_c exp(logits[n, c] - max_c)
//
// Shapes: logits and probabilities [rows, CLASSES]. One invocation a row: a row is at most some
// thousand classes and there are at most some thousand rows, so this kernel is never what takes time.
// Reads the row three times, writes it once; 3 CLASSES exp-or-add a row.

override CLASSES: u32;

struct Params {
  rows: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read_write> probabilities: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row >= params.rows) {
    return;
  }
  let base = row * CLASSES;
  var largest = logits[base];
  for (var c = 1u; c < CLASSES; c++) {
    largest = max(largest, logits[base + c]);
  }
  // Subtracting the largest logit keeps every exponent at or below zero: no overflow, same quotient.
  var total = 0.0;
  for (var c = 0u; c < CLASSES; c++) {
    total += exp(logits[base + c] - largest);
  }
  for (var c = 0u; c < CLASSES; c++) {
    probabilities[base + c] = exp(logits[base + c] - largest) / total;
  }
}
