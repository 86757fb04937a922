import type { Evidence } from '../../src/explain/evidence';
import type { Run } from '../../src/explain/explanation';
import type { LocalExplainer } from '../../src/explainer';
import type { Explainer, Explanation, Pixels } from '../../src/index';
import type { Runner } from '../../src/runtime/runner';

/*
 * What an explanation was computed with. The library keeps it to itself, since its users have no need of it; the demo
 * shows it, and so takes it from the objects that the library gives, instead of computing it a second time.
 */

/** The network on its GPU. */
export function runnerOf(explainer: Explainer): Runner {
  // biome-ignore lint/complexity/useLiteralKeys: private members are reached by brackets only.
  return (explainer as LocalExplainer)['runner'];
}

/** What the passes of an explanation yielded, and the pixels that it explains. */
export function runOf(explanation: Explanation): {
  readonly evidence: Evidence;
  readonly pixels: Pixels;
} {
  return explanation.run as Run;
}
