import { FINER } from './finer';
import type { MethodDescription } from './method';

export const reciproCam: MethodDescription<'recipro-cam'> = {
  name: 'recipro-cam',
  title: 'Recipro-CAM',
  summary: 'Leaves one position of the maps, and asks the last layers again',
  source: 'Byun and Lee 2022',
  options: FINER,
  needsGradients: false,
  usesLayer: true,
  givesPreviews: false,
  cost: (_, { positions }) => ({ forward: 1, backward: 0, head: positions }),
  load: async () => (await import('./runs/recipro-cam')).reciproCam,
};
