import { forwardPasses } from './cost';
import { FINER } from './finer';
import type { MethodDescription } from './method';
import { poolingHead } from './pooling-head';

export const cam: MethodDescription<'cam'> = {
  name: 'cam',
  title: 'CAM',
  summary: 'Takes the weights behind the pooling for those of the maps',
  source: 'Zhou et al. 2016, Eq. 2',
  options: FINER,
  needsGradients: false,
  usesLayer: true,
  givesPreviews: false,
  cost: () => forwardPasses(1),
  check(network, layers) {
    for (const layer of layers) poolingHead(network, layer);
  },
  load: async () => (await import('./runs/cam')).cam,
};
