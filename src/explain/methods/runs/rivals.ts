import type { Contrast, Question } from '../question';

/**
 * Finer-CAM's target (Zhang et al. 2025): the class's score less `contrast` times the mean of those of the `rivals` other
 * classes whose logits are nearest to its own. Weighed by `probability`, the mean is sum_d q_d z_d, q the softmax of
 * the rivals' logits alone, of which this is the derivative at the unmasked image: q_d (1 + z_d - sum_e q_e z_e).
 */
export function lessRivals(
  classIndex: number,
  logits: Float32Array,
  { contrast = 0, rivals = 3, rivalWeights }: Contrast,
): Question {
  const logit = (c: number): number => logits[c] as number;
  const distance = (c: number): number => Math.abs(logit(c) - logit(classIndex));
  const nearest = [...logits.keys()]
    .filter((c) => c !== classIndex)
    .sort((a, b) => distance(a) - distance(b) || a - b)
    .slice(0, rivals);
  const largest = Math.max(...nearest.map(logit));
  const weights = nearest.map((c) =>
    rivalWeights === 'probability' ? Math.exp(logit(c) - largest) : 1,
  );
  const total = weights.reduce((a, b) => a + b, 0);
  const mean = nearest.reduce((sum, c, i) => sum + ((weights[i] as number) * logit(c)) / total, 0);
  return [
    [classIndex, 1],
    ...nearest.map((c, i) => {
      const slope = rivalWeights === 'probability' ? 1 + logit(c) - mean : 1;
      return [c, (-contrast * (weights[i] as number) * slope) / total] as const;
    }),
  ];
}
