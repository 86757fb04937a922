import type { Question } from './question';

/** What is asked of [rows, classes] scores, by row. */
export function column(scores: Float32Array, classes: number, question: Question): Float64Array {
  return Float64Array.from({ length: scores.length / classes }, (_, row) =>
    question.reduce((sum, [c, factor]) => sum + factor * (scores[row * classes + c] as number), 0),
  );
}
