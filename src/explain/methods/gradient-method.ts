/** What the methods have in common that weigh maps by one gradient: each adds its facts and how it weighs. */
import type { GradientRule } from './gradient-rule';
import type { MethodDescription, MethodFacts } from './method';

export function gradientMethod<Name extends string>(
  facts: Pick<MethodFacts<Name>, 'name' | 'title' | 'summary' | 'source'>,
  weigh: GradientRule,
): MethodDescription<Name> {
  return {
    ...facts,
    options: { of: 'logit' },
    needsGradients: true,
    usesLayer: true,
    givesPreviews: false,
    cost: (_, { classes }) => ({ forward: 1, backward: classes, head: 0 }),
    async load() {
      const { gradientEvidence } = await import('./runs/gradients');
      return (forward, options) => gradientEvidence(forward, options, weigh);
    },
  };
}
