import type { RunMethod } from '../method';
import { positiveGradients } from './grad-cam-plus-plus';
import { gradientEvidence } from './gradients';

/** RefineCAM (Domeniconi et al. 2026): the product of the layers' normalised maps by Grad-CAM++. */
export const refineCam: RunMethod = async (forward, options) => ({
  ...(await gradientEvidence(forward, options, positiveGradients)),
  isProduct: true,
});
