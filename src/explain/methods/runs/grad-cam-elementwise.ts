import type { RunMethod } from '../method';
import { byPixel } from './gradient-rule';
import { gradientEvidence } from './gradients';

/** sum over k of ReLU(g_k A_k), pixel by pixel. */
export const gradCamElementwise: RunMethod = (forward, options) =>
  gradientEvidence(forward, options, (maps, gradient) =>
    byPixel(maps, gradient, (g, a) => Math.max(g * a, 0)),
  );
