import { FINER } from './finer';
import type { MethodDescription } from './method';

export const ablationCam: MethodDescription<'ablation-cam'> = {
  name: 'ablation-cam',
  title: 'Ablation-CAM',
  summary: 'Takes one map away, and asks the last layers again',
  source: 'Desai and Ramaswamy 2020',
  options: FINER,
  needsGradients: false,
  usesLayer: true,
  givesPreviews: false,
  cost: (_, { channels }) => ({ forward: 1, backward: 0, head: channels }),
  load: async () => (await import('./runs/ablation-cam')).ablationCam,
};
