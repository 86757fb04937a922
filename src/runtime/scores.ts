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
