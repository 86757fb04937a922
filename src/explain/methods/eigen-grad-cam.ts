import { gradientFacts } from './gradient-method';
import type { MethodDescription } from './method';

export const eigenGradCam: MethodDescription<'eigen-grad-cam'> = {
  ...gradientFacts({
    name: 'eigen-grad-cam',
    title: 'EigenGrad-CAM',
    summary: 'Shows what the maps, each place times its gradient, have most in common',
    source: 'pytorch-grad-cam',
  }),
  load: async () => (await import('./runs/eigen-cam')).eigenGradCam,
};
