import { gradientMethod } from './gradient-method';
import { byPixel } from './gradient-rule';

/** sum over k of ReLU(g_k A_k), pixel by pixel. */
export const gradCamElementwise = gradientMethod(
  {
    name: 'grad-cam-elementwise',
    title: 'Element-wise Grad-CAM',
    summary: 'Takes the gradient at every place by itself, and only what speaks for the class',
    source: 'pytorch-grad-cam',
  },
  (maps, gradient) => byPixel(maps, gradient, (g, a) => Math.max(g * a, 0)),
);
