import { gradientMethod } from './gradient-method';
import { byPixel } from './gradient-rule';

/** sum over k of g_k A_k, pixel by pixel. */
export const hiResCam = gradientMethod(
  {
    name: 'hires-cam',
    title: 'HiResCAM',
    summary: 'Takes the gradient at every place by itself: finer, and noisier',
    source: 'Draelos and Carin 2020',
  },
  (maps, gradient) => byPixel(maps, gradient, (g, a) => g * a),
);
