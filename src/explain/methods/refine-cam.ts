import { gradientFacts } from './gradient-method';
import type { MethodDescription } from './method';

export const refineCam: MethodDescription<'refine-cam'> = {
  ...gradientFacts({
    name: 'refine-cam',
    title: 'RefineCAM',
    summary:
      "Multiplies several layers' Grad-CAM++: early layers for the outline, late ones for the place",
    source: 'Domeniconi et al. 2026',
  }),
  load: async () => (await import('./runs/refine-cam')).refineCam,
};
