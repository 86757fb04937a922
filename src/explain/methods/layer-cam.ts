import { gradientFacts } from './gradient-method';
import type { MethodDescription } from './method';

export const layerCam: MethodDescription<'layer-cam'> = {
  ...gradientFacts({
    name: 'layer-cam',
    title: 'LayerCAM',
    summary: 'Takes the gradient at every place by itself where it speaks for the class',
    source: 'Jiang et al. 2021',
  }),
  load: async () => (await import('./runs/layer-cam')).layerCam,
};
