/**
 * activation(bias + scale o (input weights^T)) in f64, activation max(x, 0) + activation min(x, 0), and for
 * each output the sum of the absolute values of its terms, which tolerances are derived from.
 */
export function linearReference(
  input: Float32Array,
  weights: Float64Array,
  scales: Float32Array,
  bias: Float32Array,
  activation: number,
): { output: Float64Array; magnitude: Float64Array } {
  const outFeatures = bias.length;
  const inFeatures = weights.length / outFeatures;
  const batch = input.length / inFeatures;
  const output = new Float64Array(batch * outFeatures);
  const magnitude = new Float64Array(batch * outFeatures);
  for (let n = 0; n < batch; n++) {
    for (let o = 0; o < outFeatures; o++) {
      let total = bias[o] as number;
      let absolute = Math.abs(total);
      for (let k = 0; k < inFeatures; k++) {
        const product =
          (input[n * inFeatures + k] as number) * (weights[o * inFeatures + k] as number);
        const term = (scales[o] as number) * product;
        total += term;
        absolute += Math.abs(term);
      }
      output[n * outFeatures + o] = Math.max(total, 0) + activation * Math.min(total, 0);
      magnitude[n * outFeatures + o] = absolute;
    }
  }
  return { output, magnitude };
}
