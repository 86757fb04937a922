/** When an answer is none. */

/**
 * Share of the largest entropy from which on an answer counts as none.
 */
export const NEARLY_EVEN = 0.8;

/**
 * How evenly a network answers: the entropy of its probabilities over that of all classes alike, -sum p ln p / ln n.
 * 0 is one class for sure, 1 is any.
 */
export function evenness(probabilities: readonly number[]): number {
  const entropy = probabilities.reduce((sum, p) => sum - (p > 0 ? p * Math.log(p) : 0), 0);
  return probabilities.length > 1 ? entropy / Math.log(probabilities.length) : 0;
}
