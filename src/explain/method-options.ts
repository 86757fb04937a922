import type { Baseline, GradientOf, Method } from './types';

/** Options that take a number: the default of each, the least it may be, and whether it must be whole. */
export const NUMBERS = {
  top: { fallback: 10, least: 1, whole: true },
  samples: { fallback: 35, least: 1, whole: true },
  sigma: { fallback: 0.1, least: 0, whole: false },
  seed: { fallback: 0, least: 0, whole: true },
  steps: { fallback: 10, least: 1, whole: true },
  groups: { fallback: 32, least: 1, whole: true },
  masks: { fallback: 1000, least: 1, whole: true },
} as const;

export type NumberOption = keyof typeof NUMBERS;

/** Options that not every method has a use for. */
export type MethodOption =
  | 'weighting'
  | 'alignCorners'
  | 'baseline'
  | 'of'
  | 'channels'
  | NumberOption;

/** Which options each method takes; the others are refused. */
export const METHODS: Readonly<Record<Method, readonly MethodOption[]>> = {
  'score-cam': ['weighting', 'alignCorners', 'baseline', 'channels'],
  'faster-score-cam': ['weighting', 'alignCorners', 'baseline', 'top'],
  'ss-cam': ['channels', 'top', 'samples', 'sigma', 'seed'],
  'is-cam': ['channels', 'top', 'steps'],
  'group-cam': ['groups'],
  rise: ['masks', 'seed'],
  'ablation-cam': [],
  'recipro-cam': [],
  'grad-cam': ['of'],
  'grad-cam++': ['of'],
  'hires-cam': ['of'],
  'layer-cam': ['of'],
  cam: [],
};

export const BASELINES: readonly Baseline[] = ['mean', 'black', 'blurred'];
export const GRADIENTS_OF: readonly GradientOf[] = ['logit', 'probability'];
