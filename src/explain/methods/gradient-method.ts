/** What the methods have in common that weigh maps by one gradient: each adds its own facts. */
import { FINER } from './finer';
import type { MethodFacts } from './method';

export function gradientFacts<Name extends string>(
  facts: Pick<MethodFacts<Name>, 'name' | 'title' | 'summary' | 'source'>,
): MethodFacts<Name> {
  return {
    ...facts,
    options: { of: 'logit', ...FINER },
    needsGradients: true,
    usesLayer: true,
    givesPreviews: false,
    cost: (_, { classes }) => ({ forward: 1, backward: classes, head: 0 }),
  };
}
