import { FINER } from './finer';
import { gradientFacts } from './gradient-method';
import type { MethodDescription } from './method';

export const fullGrad: MethodDescription<'full-grad'> = {
  ...gradientFacts({
    name: 'full-grad',
    title: 'FullGrad',
    summary: 'Asks the gradients of the image and of all biases what adds to the score',
    source: 'Srinivas and Fleuret 2019',
  }),
  options: { of: 'logit', ...FINER },
  usesLayer: false,
  load: async () => (await import('./runs/full-grad')).fullGrad,
};
