import { FINER } from './finer';
import type { MethodDescription } from './method';

const STEPS = 100;

export const optiCam: MethodDescription<'opti-cam'> = {
  name: 'opti-cam',
  title: 'Opti-CAM',
  summary: 'Looks for the sum of maps that, as a mask, leaves the highest score',
  source: 'Zhang et al. 2024',
  options: { steps: STEPS, ...FINER },
  needsGradients: true,
  usesLayer: true,
  givesPreviews: false,
  cost: ({ steps = STEPS }, { classes }) => ({
    forward: 1 + classes * steps,
    backward: classes * steps,
    head: 0,
  }),
  load: async () => (await import('./runs/opti-cam')).optiCam,
};
