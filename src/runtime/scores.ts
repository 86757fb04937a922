import type { Gpu } from '../gpu/gpu';
import { checkFinite } from '../numbers/finite';

/** What a network says to images: [images, classes] each. */
export interface Scores {
  readonly logits: Float32Array<ArrayBuffer>;
  /** Softmax of each row of logits. */
  readonly probabilities: Float32Array<ArrayBuffer>;
}

export const NO_SCORES: Scores = {
  logits: new Float32Array(0),
  probabilities: new Float32Array(0),
};

/**
 * Reads logits and, behind them, as many probabilities.
 * @param at where the logits begin in `buffer`, in f32
 * @throws ScoreCamError `not-finite` if a logit overflowed
 */
export async function readScores(
  gpu: Gpu,
  buffer: GPUBuffer,
  count: number,
  at = 0,
): Promise<Scores> {
  const values = await gpu.read(buffer, 2 * count, at);
  const logits = values.slice(0, count);
  checkFinite(logits, 'The logits');
  return { logits, probabilities: values.slice(count) };
}
