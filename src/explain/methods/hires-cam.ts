import { gradientFacts } from './gradient-method';
import type { MethodDescription } from './method';

export const hiResCam: MethodDescription<'hires-cam'> = {
  ...gradientFacts({
    name: 'hires-cam',
    title: 'HiResCAM',
    summary: 'Takes the gradient at every place by itself: finer, and noisier',
    source: 'Draelos and Carin 2020',
  }),
  load: async () => (await import('./runs/hires-cam')).hiResCam,
};
