import { mapsFacts } from './maps-method';
import type { MethodDescription } from './method';

export const fem: MethodDescription<'fem'> = {
  ...mapsFacts({
    name: 'fem',
    title: 'FEM',
    summary: 'Weighs each map by how much of it stands out; asks for no class',
    source: 'Fuad et al. 2020',
  }),
  load: async () => (await import('./runs/fem')).fem,
};
