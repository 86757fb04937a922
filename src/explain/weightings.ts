import type { Weighting } from './types';

export interface ChannelScores {
  /** Channels that were evaluated, in the order of the rows. */
  readonly channels: Uint32Array;
  /** [channels.length, classes] softmax probabilities of the masked images. */
  readonly probabilities: Float32Array;
  readonly classes: number;
}

/**
 * How the masked scores of a class become the weight alpha_k of each activation map. A channel that was
 * not evaluated has weight 0.
 */
export const weightings: Record<
  Weighting,
  (scores: ChannelScores, classIndex: number, weights: Float32Array) => void
> = {
  /** alpha_k = p_c(X o H_k): the official code (haofanwang/Score-CAM), no baseline subtracted. */
  probability({ channels, probabilities, classes }, classIndex, weights) {
    channels.forEach((channel, row) => {
      weights[channel] = probabilities[row * classes + classIndex] as number;
    });
  },
};
