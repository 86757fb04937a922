import { mapsFacts } from './maps-method';
import type { MethodDescription } from './method';

export const eigenCam: MethodDescription<'eigen-cam'> = {
  ...mapsFacts({
    name: 'eigen-cam',
    title: 'Eigen-CAM',
    summary: 'Shows what the maps have most in common; asks for no class',
    source: 'Muhammad and Yeasin 2020',
  }),
  load: async () => (await import('./runs/eigen-cam')).eigenCam,
};
