/** What the methods have in common that ask nothing but the maps: no class, no further pass. */
import { forwardPasses } from './cost';
import type { MethodFacts } from './method';

export function mapsFacts<Name extends string>(
  facts: Pick<MethodFacts<Name>, 'name' | 'title' | 'summary' | 'source'>,
): MethodFacts<Name> {
  return {
    ...facts,
    options: {},
    needsGradients: false,
    usesLayer: true,
    givesPreviews: false,
    cost: () => forwardPasses(1),
  };
}
