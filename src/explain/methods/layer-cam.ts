import { gradientMethod } from './gradient-method';
import { byPixel } from './gradient-rule';

/** sum over k of ReLU(g_k) A_k, pixel by pixel. */
export const layerCam = gradientMethod(
  {
    name: 'layer-cam',
    title: 'LayerCAM',
    summary: 'Takes the gradient at every place by itself where it speaks for the class',
    source: 'Jiang et al. 2021',
  },
  (maps, gradient) => byPixel(maps, gradient, (g, a) => Math.max(g, 0) * a),
);
