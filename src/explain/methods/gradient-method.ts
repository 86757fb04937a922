/** What the methods have in common that weigh maps by one gradient: each adds its facts and how it weighs. */
import { FINER } from './finer';
import type { GradientRule } from './gradient-rule';
import type { MethodDescription, MethodFacts } from './method';

type Own<Name extends string> = Pick<MethodFacts<Name>, 'name' | 'title' | 'summary' | 'source'>;

export function gradientMethod<Name extends string>(
  facts: Own<Name>,
  weigh: GradientRule,
): MethodDescription<Name> {
  return {
    ...gradientFacts(facts),
    async load() {
      const { gradientEvidence } = await import('./runs/gradients');
      return (forward, options) => gradientEvidence(forward, options, weigh);
    },
  };
}

export function gradientFacts<Name extends string>(facts: Own<Name>): MethodFacts<Name> {
  return {
    ...facts,
    options: { of: 'logit', ...FINER },
    needsGradients: true,
    usesLayer: true,
    givesPreviews: false,
    cost: (_, { classes }) => ({ forward: 1, backward: classes, head: 0 }),
  };
}
