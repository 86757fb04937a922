import { gradientMethod } from './gradient-method';
import { byChannel, type GradientRule } from './gradient-rule';

/** alpha_k = mean over pixels of g_k. */
export const meanGradients: GradientRule = (maps, gradient) =>
  byChannel(maps, (from, to) => {
    let sum = 0;
    for (let i = from; i < to; i++) sum += gradient[i] as number;
    return sum / (to - from);
  });

export const gradCam = gradientMethod(
  {
    name: 'grad-cam',
    title: 'Grad-CAM',
    summary: 'Asks the gradient which maps matter',
    source: 'Selvaraju et al. 2017, Eq. 1 and 2',
  },
  meanGradients,
);
