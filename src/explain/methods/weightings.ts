import type { MapRule } from '../saliency';
import { column } from './column';
import type { Weighting } from './options';
import type { Question } from './question';

export interface ChannelScores {
  /** Channels that were evaluated, in the order of the rows. */
  readonly channels: Uint32Array;
  /** [channels.length, classes] logits of the masked images. */
  readonly logits: Float32Array;
  /** [channels.length, classes] softmax probabilities of the masked images. */
  readonly probabilities: Float32Array;
  readonly classes: number;
  /** [classes] logits of the unmasked image. */
  readonly imageLogits: Float32Array;
  /** [classes] probabilities of the baseline; empty unless the weighting `needsBaseline`. */
  readonly baseline: Float32Array;
}

export interface WeightingRule {
  /**
   * alpha_k of each row for what is asked, as the rows of the scores are ordered. A channel that was not
   * evaluated has weight 0.
   */
  readonly weigh: (scores: ChannelScores, question: Question) => Float64Array;
  readonly needsBaseline: boolean;
  /** Whether masks are upsampled with align_corners, unless the caller says otherwise. */
  readonly alignCorners: boolean;
  /** Whether masks are min-max normalised at the map's own resolution, before upsampling. */
  readonly normaliseFirst: boolean;
  /**
   * `after`: the sum runs over the upsampled maps, upsampled as the masks are. `before`: over the maps at
   * their own resolution, and the rectified sum is resized without align_corners.
   */
  readonly relu: MapRule['relu'];
}

/** Softmax over channels; no channels have no weights. */
function softmaxOf(values: Float64Array): Float64Array {
  const largest = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const exps = values.map((value) => Math.exp(value - largest));
  const total = exps.reduce((a, b) => a + b, 0);
  return exps.map((value) => value / total);
}

/**
 * How the masked scores of a class become the weight alpha_k of each activation map, under the names of
 * docs/methods.md. H_k is the mask, X the image, X_b the baseline.
 */
export const weightings: Readonly<Record<Weighting, WeightingRule>> = {
  /** alpha_k = p_c(X o H_k): the official code (haofanwang/Score-CAM), no baseline subtracted. */
  probability: {
    weigh: ({ probabilities, classes }, asked) => column(probabilities, classes, asked),
    needsBaseline: false,
    alignCorners: false,
    normaliseFirst: false,
    relu: 'after',
  },
  /** alpha_k = p_c(X o H_k) - p_c(X_b): the paper's Eq. 6 to 9 read literally. */
  increase: {
    weigh: ({ probabilities, classes, baseline }, asked) => {
      const [without] = column(baseline, classes, asked);
      return column(probabilities, classes, asked).map((value) => value - (without as number));
    },
    needsBaseline: true,
    alignCorners: false,
    normaliseFirst: false,
    relu: 'after',
  },
  /**
   * alpha = softmax over k of the logits z_c(X o H_k): the paper's Algorithm 1, whose baseline is the same
   * for every k and cancels; pytorch-grad-cam. That library also runs constant maps, as an image of zeros;
   * here they are skipped, which changes the map only where a constant map is not zero.
   */
  'softmax-logit': {
    weigh: ({ logits, classes }, asked) => softmaxOf(column(logits, classes, asked)),
    needsBaseline: false,
    alignCorners: true,
    normaliseFirst: false,
    relu: 'before',
  },
  /**
   * alpha = softmax over k of z_c(X o H_k) - z_c(X): torch-cam, which normalises its masks before it
   * upsamples them. z_c(X) cancels in exact arithmetic; that and align_corners is all that tells its
   * weights from those of `softmax-logit`.
   */
  'softmax-increase': {
    weigh: ({ logits, classes, imageLogits }, asked) => {
      const [whole] = column(imageLogits, classes, asked);
      return softmaxOf(column(logits, classes, asked).map((value) => value - (whole as number)));
    },
    needsBaseline: false,
    alignCorners: false,
    normaliseFirst: true,
    relu: 'before',
  },
};
