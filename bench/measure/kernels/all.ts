import { convolutionSubjects, firstLayerSubjects } from './convolutions';
import { fusedSubjects } from './fused';
import { graphBackwardSubjects } from './graph-backward';
import { graphSubjects } from './graphs';
import { linearSubjects } from './linears';
import { mapSubjects } from './maps';
import type { Subject } from './subject';
import { tensorSubjects } from './tensors';
import { tileSubjects } from './tiles';
import { winogradSubjects } from './winograd';

/** Every kernel of the library in every variant; test/gpu/bench.gpu.ts shows that none is missing. */
export const kernelSubjects: readonly Subject[] = [
  ...convolutionSubjects,
  ...graphSubjects,
  ...winogradSubjects,
  ...fusedSubjects,
  ...linearSubjects,
  ...tensorSubjects,
  ...mapSubjects,
  ...tileSubjects,
  ...graphBackwardSubjects,
];

export { firstLayerSubjects };
