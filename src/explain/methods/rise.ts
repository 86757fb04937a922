import { forwardPasses } from './cost';
import { FINER } from './finer';
import type { MethodDescription } from './method';

const MASKS = 1000;

export const rise: MethodDescription<'rise'> = {
  name: 'rise',
  title: 'RISE',
  summary: 'Hides random parts of the image, and asks again; looks into no layer',
  source: 'Petsiuk et al. 2018, Eq. 6',
  options: { masks: MASKS, seed: 0, validate: false, ...FINER },
  needsGradients: false,
  usesLayer: false,
  givesPreviews: false,
  cost: ({ masks = MASKS }) => forwardPasses(1 + masks),
  load: async () => (await import('./runs/rise')).rise,
};
