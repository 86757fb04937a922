import type { RunMethod } from '../method';
import { byPixel } from './gradient-rule';
import { gradientEvidence } from './gradients';

/** sum over k of g_k A_k, pixel by pixel. */
export const hiResCam: RunMethod = (forward, options) =>
  gradientEvidence(forward, options, (maps, gradient) => byPixel(maps, gradient, (g, a) => g * a));
