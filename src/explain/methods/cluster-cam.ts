import { forwardPasses } from './cost';
import { FINER } from './finer';
import type { MethodDescription } from './method';

const GROUPS = 16;

export const clusterCam: MethodDescription<'cluster-cam'> = {
  name: 'cluster-cam',
  title: 'Cluster-CAM',
  summary: 'Score-CAM with a mask for each cluster of maps that are alike',
  source: 'after Feng et al. 2024',
  options: { groups: GROUPS, seed: 0, validate: false, ...FINER },
  needsGradients: false,
  usesLayer: true,
  givesPreviews: false,
  cost: ({ groups = GROUPS }, { channels }) => forwardPasses(1 + Math.min(groups, channels)),
  load: async () => (await import('./runs/cluster-cam')).clusterCam,
};
