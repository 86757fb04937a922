/** What a network says to images: [images, classes] each. */
export interface Scores {
  readonly logits: Float32Array<ArrayBuffer>;
  /** Softmax of each row of logits. */
  readonly probabilities: Float32Array<ArrayBuffer>;
}

/** How large the values are that a layer, or several that are computed together, the last of them `layer`, leaves. */
export interface LayerMagnitude {
  readonly layer: string;
  /** The largest by its absolute value; finite. */
  readonly largest: number;
}

export const NO_SCORES: Scores = {
  logits: new Float32Array(0),
  probabilities: new Float32Array(0),
};
