/** The scores of one class, by row. */
export function column(scores: Float32Array, classes: number, classIndex: number): Float64Array {
  return Float64Array.from({ length: scores.length / classes }, (_, row) => {
    return scores[row * classes + classIndex] as number;
  });
}
