import { all, FLAG, isNumber, type Rule } from '../rules';

/** How Score-CAM's masked scores become weights; docs/methods.md says whose each is. */
export type Weighting = 'probability' | 'increase' | 'softmax-logit' | 'softmax-increase';

/**
 * The image without evidence that `increase` compares with: `mean`, zero after normalisation; `black`; or
 * `blurred`, the image under a Gaussian of 5 pixels.
 */
export type Baseline = 'mean' | 'black' | 'blurred';

/** How the classes that `contrast` subtracts are averaged: alike, or as pytorch-grad-cam does, by their probabilities. */
export type RivalWeights = 'equal' | 'probability';

/** What the gradient methods differentiate: the class's logit or its softmax probability. */
export type GradientOf = 'logit' | 'probability';

const names = <Name extends string>(summary: string, ...own: readonly Name[]) => ({
  names: own,
  summary,
});
const whole = (summary: string, least: number, most: number) => ({
  least,
  most,
  whole: true,
  summary,
});

/**
 * The options that not every method takes: what each may be and what it is. Who takes it, and by which default, is the
 * methods' own ({@link METHODS}). The most is what a page can still wait for or keep in memory, and above all likely use.
 */
export const OPTIONS = {
  weighting: names<Weighting>(
    'how masked scores become weights',
    'probability',
    'increase',
    'softmax-logit',
    'softmax-increase',
  ),
  alignCorners: { ...FLAG, summary: 'whether masks are upsampled with align_corners' },
  baseline: names<Baseline>(
    'what the weighting increase compares with',
    'mean',
    'black',
    'blurred',
  ),
  of: names<GradientOf>('what is differentiated', 'logit', 'probability'),
  channels: {
    kind: 'an array of channel numbers',
    is: all(isNumber),
    summary: 'only these channels',
  },
  top: whole('channels of largest deviation', 1, 65536),
  samples: whole('noisy masks for each map', 1, 10000),
  sigma: { least: 0, most: 10, whole: false, summary: "noise, as a share of the map's range" },
  steps: whole('masks of growing strength for each map, or steps of optimisation', 1, 10000),
  groups: whole('groups of maps, a mask each', 1, 65536),
  masks: whole('random masks', 1, 100000),
  // As many as there are sequences of random numbers.
  seed: whole('another seed, other noise, masks or clusters', 0, 2 ** 32 - 1),
  contrast: {
    least: 0,
    most: 10,
    whole: false,
    summary: "how much of the nearest classes' mean score is subtracted (Finer-CAM)",
  },
  rivals: whole('nearest classes that contrast is with, else 3', 1, 1000),
  rivalWeights: names<RivalWeights>('how they are averaged, else equal', 'equal', 'probability'),
  validate: { ...FLAG, summary: 'plain kernels check some masks' },
} as const satisfies Record<string, Rule & { readonly summary: string }>;

export type NumberOption =
  | 'top'
  | 'samples'
  | 'sigma'
  | 'steps'
  | 'groups'
  | 'masks'
  | 'seed'
  | 'contrast'
  | 'rivals';

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
  /** Of `ss-cam`, `rise` and `cluster-cam`: the same seed, the same noise, masks or clusters. Default 0. */
  readonly seed?: number | undefined;
  /** Of `is-cam`: masks of growing strength for each map (default 10); of `opti-cam`: steps of Adam (default 100). */
  readonly steps?: number | undefined;
  /** Of `group-cam` (default 32) and `cluster-cam` (default 16): into how many groups, each a mask, the channels go. */
  readonly groups?: number | undefined;
  /** Of `rise`: random masks. Default 1000. */
  readonly masks?: number | undefined;
  /**
   * Of all methods that explain a class: instead of its score y_c, y_c less `contrast` times the mean score of the `rivals`
   * classes whose logits are nearest to its own, so that the map shows what tells it from these (Finer-CAM). 1 is the paper's
   * and costs no pass more. Default: nothing is subtracted.
   */
  readonly contrast?: number | undefined;
  /** With `contrast`: how many classes it is with. Default 3. */
  readonly rivals?: number | undefined;
  /** With `contrast`: how they are averaged. Default `equal`. */
  readonly rivalWeights?: RivalWeights | undefined;
  /**
   * Of all methods with masked passes: afterwards some of them, evenly spread, are run again by kernels as plain as the
   * formulas; a score that differs by more than rounding makes a ScoreCamError `kernel`. Default false.
   */
  readonly validate?: boolean | undefined;
}

export type MethodOption = keyof typeof OPTIONS;
