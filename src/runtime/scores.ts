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

/** @throws ScoreCamError `not-finite` if a logit overflowed */
export function checkedScores(
  logits: Float32Array<ArrayBuffer>,
  probabilities: Float32Array<ArrayBuffer>,
): Scores {
  checkFinite(logits, 'The logits');
  return { logits, probabilities };
}
