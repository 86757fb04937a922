import { evaluatedChannels, forwardPasses } from './cost';
import { FINER } from './finer';
import type { MethodDescription } from './method';

const SAMPLES = 35;

export const ssCam: MethodDescription<'ss-cam'> = {
  name: 'ss-cam',
  title: 'SS-CAM',
  summary: 'Score-CAM with noise on the maps, many times, and the mean of it',
  source: 'Wang et al. 2020 (SS-CAM)',
  options: {
    samples: SAMPLES,
    sigma: 0.1,
    seed: 0,
    top: undefined,
    channels: undefined,
    validate: false,
    ...FINER,
  },
  needsGradients: false,
  usesLayer: true,
  givesPreviews: false,
  cost: ({ samples = SAMPLES, ...options }, { channels }) =>
    forwardPasses(1 + samples * evaluatedChannels(options, channels)),
  load: async () => (await import('./runs/ss-cam')).ssCam,
};
