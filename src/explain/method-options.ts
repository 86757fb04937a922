import type { Baseline, GradientOf, Method } from './types';

/** Options that not every method has a use for. */
export type MethodOption = 'weighting' | 'alignCorners' | 'baseline' | 'of' | 'channels';

/** Which options each method takes; the others are refused. */
export const METHODS: Readonly<Record<Method, readonly MethodOption[]>> = {
  'score-cam': ['weighting', 'alignCorners', 'baseline', 'channels'],
  'grad-cam': ['of'],
  'grad-cam++': ['of'],
  'hires-cam': ['of'],
  'layer-cam': ['of'],
  cam: [],
};

export const BASELINES: readonly Baseline[] = ['mean', 'black', 'blurred'];
export const GRADIENTS_OF: readonly GradientOf[] = ['logit', 'probability'];
