import { gradientFacts } from './gradient-method';
import type { MethodDescription } from './method';

export const gradCamPlusPlus: MethodDescription<'grad-cam++'> = {
  ...gradientFacts({
    name: 'grad-cam++',
    title: 'Grad-CAM++',
    summary: 'Asks the gradient which maps matter, and hears only what speaks for the class',
    source: 'Chattopadhay et al. 2018, Eq. 19',
  }),
  load: async () => (await import('./runs/grad-cam-plus-plus')).gradCamPlusPlus,
};
