import type { RunMethod } from '../method';
import { byChannel, type GradientRule } from './gradient-rule';
import { gradientEvidence } from './gradients';

/** alpha_k = mean over pixels of g_k. */
export const meanGradients: GradientRule = (maps, gradient) =>
  byChannel(maps, (from, to) => {
    let sum = 0;
    for (let i = from; i < to; i++) sum += gradient[i] as number;
    return sum / (to - from);
  });

export const gradCam: RunMethod = (forward, options) =>
  gradientEvidence(forward, options, meanGradients);
