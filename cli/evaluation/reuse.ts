/** Which maps rest on masked scores that are there already: what in-page.ts does, and specs.ts prices. */
import type { Method, MethodOptions } from '../../src/index';

interface Spec {
  readonly method: Method;
  readonly options: MethodOptions;
}

/** Whether its masked scores serve {@link takesScores} for the same image. */
export function leavesScores({ method, options }: Spec): boolean {
  return method === 'score-cam' && (options.weighting ?? 'probability') === 'probability';
}

/** Whether it weighs such scores anew, for a pass of the baseline, where an earlier spec left them. */
export function takesScores({ method, options }: Spec): boolean {
  return method === 'score-cam' && options.weighting === 'increase';
}
