import type { RunMethod } from '../method';
import { byChannel } from './gradient-rule';
import { gradientEvidence } from './gradients';

/** Keeps the quotient finite where a map is 0 everywhere; pytorch-grad-cam's value. */
const EPSILON = 1e-7;

/** alpha_k = sum over pixels of g_k A_k / (sum A_k): the gradient's mean, weighed by the map. */
export const xGradCam: RunMethod = (forward, options) =>
  gradientEvidence(forward, options, (maps, gradient) =>
    byChannel(maps, (from, to) => {
      let activity = 0;
      let sum = 0;
      for (let i = from; i < to; i++) {
        const value = maps.data[i] as number;
        activity += value;
        sum += (gradient[i] as number) * value;
      }
      return sum / (activity + EPSILON);
    }),
  );
