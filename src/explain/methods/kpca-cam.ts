import { mapsFacts } from './maps-method';
import type { MethodDescription } from './method';

export const kpcaCam: MethodDescription<'kpca-cam'> = {
  ...mapsFacts({
    name: 'kpca-cam',
    title: 'KPCA-CAM',
    summary: 'Eigen-CAM with places compared by a curved measure; asks for no class',
    source: 'Karmani et al. 2024',
  }),
  load: async () => (await import('./runs/eigen-cam')).kpcaCam,
};
