import { gradientFacts } from './gradient-method';
import type { MethodDescription } from './method';

export const xGradCam: MethodDescription<'xgrad-cam'> = {
  ...gradientFacts({
    name: 'xgrad-cam',
    title: 'XGrad-CAM',
    summary: 'Asks the gradient which maps matter, and hears it where each map is active',
    source: 'Fu et al. 2020',
  }),
  load: async () => (await import('./runs/xgrad-cam')).xGradCam,
};
