/** softmax over each row of [rows, classes], in f64. */
export function softmaxReference(
  logits: Float32Array,
  rows: number,
  classes: number,
): Float64Array {
  const out = new Float64Array(rows * classes);
  for (let row = 0; row < rows; row++) {
    const values = logits.subarray(row * classes, (row + 1) * classes);
    const largest = Math.max(...values);
    const exps = Array.from(values, (value) => Math.exp(value - largest));
    const total = exps.reduce((sum, value) => sum + value, 0);
    exps.forEach((value, c) => {
      out[row * classes + c] = value / total;
    });
  }
  return out;
}
