import { gradientFacts } from './gradient-method';
import type { MethodDescription } from './method';

export const gradCam: MethodDescription<'grad-cam'> = {
  ...gradientFacts({
    name: 'grad-cam',
    title: 'Grad-CAM',
    summary: 'Asks the gradient which maps matter',
    source: 'Selvaraju et al. 2017, Eq. 1 and 2',
  }),
  load: async () => (await import('./runs/gradients')).gradCam,
};
