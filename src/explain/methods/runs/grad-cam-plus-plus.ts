import type { RunMethod } from '../method';
import { byChannel, type GradientRule } from './gradient-rule';
import { gradientEvidence } from './gradients';

/** Keeps the quotient finite where a gradient is tiny; pytorch-grad-cam's value. */
const EPSILON = 1e-6;

/**
 * alpha_k = sum over pixels of a ReLU(g_k), a = g_k^2 / (2 g_k^2 + (sum A_k) g_k^3), with the exponential of the
 * score as in the paper, and with an epsilon in the denominator.
 */
export const positiveGradients: GradientRule = (maps, gradient) =>
  byChannel(maps, (from, to) => {
    let activity = 0;
    for (let i = from; i < to; i++) activity += maps.data[i] as number;
    let sum = 0;
    for (let i = from; i < to; i++) {
      const g = gradient[i] as number;
      if (g > 0) sum += (g * g ** 2) / (2 * g ** 2 + activity * g ** 3 + EPSILON);
    }
    return sum;
  });

export const gradCamPlusPlus: RunMethod = (forward, options) =>
  gradientEvidence(forward, options, positiveGradients);
