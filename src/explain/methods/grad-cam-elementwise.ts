import { gradientFacts } from './gradient-method';
import type { MethodDescription } from './method';

export const gradCamElementwise: MethodDescription<'grad-cam-elementwise'> = {
  ...gradientFacts({
    name: 'grad-cam-elementwise',
    title: 'Element-wise Grad-CAM',
    summary: 'Takes the gradient at every place by itself, and only what speaks for the class',
    source: 'pytorch-grad-cam',
  }),
  load: async () => (await import('./runs/grad-cam-elementwise')).gradCamElementwise,
};
