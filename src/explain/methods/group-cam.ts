import { FINER } from './finer';
import type { MethodDescription } from './method';

const GROUPS = 32;

export const groupCam: MethodDescription<'group-cam'> = {
  name: 'group-cam',
  title: 'Group-CAM',
  summary: 'Sums the maps up in groups by their gradients, and asks again with each sum as a mask',
  source: 'Zhang et al. 2021',
  options: { groups: GROUPS, validate: false, ...FINER },
  needsGradients: true,
  usesLayer: true,
  givesPreviews: false,
  // The image and its baseline; the groups depend on the class.
  cost: ({ groups = GROUPS }, { channels, classes }) => ({
    forward: 2 + classes * Math.min(groups, channels),
    backward: classes,
    head: 0,
  }),
  load: async () => (await import('./runs/group-cam')).groupCam,
};
