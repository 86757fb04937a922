import { weighPositive } from '../grad-cam-plus-plus';
import type { RunMethod } from '../method';
import { gradientEvidence } from './gradients';

/** RefineCAM (Domeniconi et al. 2026): the product of the layers' normalised maps by Grad-CAM++. */
export const refineCam: RunMethod = async (forward, options) => ({
  ...(await gradientEvidence(forward, options, weighPositive)),
  isProduct: true,
});
