import type { RunMethod } from '../method';
import { gradientEvidence, meanGradients } from './gradients';

/**
 * ShapleyCAM (Cai 2025): alpha_k is the mean over pixels of g_k - (H A)_k / 2, H the second derivatives of the logit with
 * respect to the maps: a map's Shapley value, by a Taylor expansion to the second order. Where the layers behind the maps are
 * piecewise linear, H is zero but at kinks; others are refused. So what is left is Grad-CAM.
 */
export const shapleyCam: RunMethod = (forward, options) =>
  gradientEvidence(forward, options, meanGradients);
