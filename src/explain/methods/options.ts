/** How Score-CAM's masked scores become weights; docs/methods.md says whose each is. */
export type Weighting = 'probability' | 'increase' | 'softmax-logit' | 'softmax-increase';

/**
 * The image without evidence that `increase` compares with: `mean`, zero after normalisation; `black`; or
 * `blurred`, the image under a Gaussian of 5 pixels.
 */
export type Baseline = 'mean' | 'black' | 'blurred';

/** What the gradient methods differentiate: the class's logit or its softmax probability. */
export type GradientOf = 'logit' | 'probability';

export const BASELINES: readonly Baseline[] = ['mean', 'black', 'blurred'];
export const GRADIENTS_OF: readonly GradientOf[] = ['logit', 'probability'];

/** Options that take a number: the least it may be, whether it must be whole, and what it counts. */
export const NUMBERS = {
  top: { least: 1, whole: true, summary: 'channels of largest deviation' },
  samples: { least: 1, whole: true, summary: 'noisy masks for each map' },
  sigma: { least: 0, whole: false, summary: "noise, as a share of the map's range" },
  steps: { least: 1, whole: true, summary: 'masks of growing strength for each map' },
  groups: { least: 1, whole: true, summary: 'groups of maps, a mask each' },
  masks: { least: 1, whole: true, summary: 'random masks' },
  seed: { least: 0, whole: true, summary: 'another seed, other noise or masks' },
} as const;

export type NumberOption = keyof typeof NUMBERS;

/** Options that not every method has a use for. Their defaults are the methods' own ({@link METHODS}). */
export interface OptionValues {
  /** Of `score-cam` and `faster-score-cam`. Default `probability`. */
  readonly weighting?: Weighting | undefined;
  /**
   * Of `score-cam` and `faster-score-cam`: whether masks are upsampled with align_corners. Default: as the library does that
   * the weighting comes from, true for `softmax-logit` (pytorch-grad-cam), else false.
   */
  readonly alignCorners?: boolean | undefined;
  /** Of the weighting `increase` only, which runs one pass of this image more. Default `mean`. */
  readonly baseline?: Baseline | undefined;
  /** Of the gradient methods only. Default `logit`. */
  readonly of?: GradientOf | undefined;
  /** Of `score-cam`, `ss-cam` and `is-cam` with a single layer: evaluate only these channels. Default: all. */
  readonly channels?: readonly number[] | undefined;
  /**
   * Of `faster-score-cam` (default 10), `ss-cam` and `is-cam` (default all): evaluate only so many channels,
   * those whose activation maps have the largest standard deviation.
   */
  readonly top?: number | undefined;
  /** Of `ss-cam`: noisy masks for each map. Default 35. */
  readonly samples?: number | undefined;
  /** Of `ss-cam`: standard deviation of the noise, as a share of the map's range. Default 0.1. */
  readonly sigma?: number | undefined;
  /** Of `ss-cam` and `rise`: the same seed, the same noise or masks. Default 0. */
  readonly seed?: number | undefined;
  /** Of `is-cam`: masks of growing strength for each map. Default 10. */
  readonly steps?: number | undefined;
  /** Of `group-cam`: into how many groups, each a mask, the channels go. Default 32. */
  readonly groups?: number | undefined;
  /** Of `rise`: random masks. Default 1000. */
  readonly masks?: number | undefined;
}

export type MethodOption = keyof OptionValues;
