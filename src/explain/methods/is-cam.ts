import { evaluatedChannels, forwardPasses } from './cost';
import { FINER } from './finer';
import type { MethodDescription } from './method';

const STEPS = 10;

export const isCam: MethodDescription<'is-cam'> = {
  name: 'is-cam',
  title: 'IS-CAM',
  summary: 'Score-CAM with each mask at growing strength, and the mean of it',
  source: 'Naidu et al. 2020',
  options: { steps: STEPS, top: undefined, channels: undefined, validate: false, ...FINER },
  needsGradients: false,
  usesLayer: true,
  givesPreviews: false,
  cost: ({ steps = STEPS, ...options }, { channels }) =>
    forwardPasses(1 + steps * evaluatedChannels(options, channels)),
  load: async () => (await import('./runs/is-cam')).isCam,
};
