import type { Road } from './types';

/*
 * ROAD (Rong et al. 2022), as pytorch-grad-cam's ROADMostRelevantFirst, ROADLeastRelevantFirst and ROADCombined have it:
 * pixels are imputed, and the fall of the probability is compared between those that the map calls relevant and the others.
 */

/** Pixels at or above this percentile are removed: at 20, 80 % of them. */
export const PERCENTILES: readonly number[] = [20, 40, 60, 80];

export interface Removal {
  readonly percentile: number;
  readonly first: 'most' | 'least';
}

/** What is removed for one map, in the order in which `roadOf` takes the probabilities. */
export function removals(percentiles: readonly number[]): Removal[] {
  return percentiles.flatMap((percentile): Removal[] => [
    { percentile, first: 'most' },
    { percentile, first: 'least' },
  ]);
}

/**
 * [pixels] 1 where the map is at or above its percentile; of the map upside down where the least relevant go first. Pixels
 * equal to the percentile's value go all at once, as in pytorch-grad-cam: of a map that is mostly zero, a low percentile
 * removes everything.
 */
export function holeOf(map: Float32Array, { percentile, first }: Removal): Uint8Array {
  const relevance = first === 'most' ? map : map.map((value) => 1 - value);
  const threshold = percentileOf(relevance, percentile);
  return Uint8Array.from(relevance, (value) => Number(value >= threshold));
}

/** Linear between the two nearest values, as NumPy's default, rounded to the f32 that maps are of. */
export function percentileOf(values: Float32Array, percentile: number): number {
  const sorted = values.toSorted();
  const at = (percentile / 100) * (sorted.length - 1);
  const below = sorted[Math.floor(at)] as number;
  const above = sorted[Math.ceil(at)] as number;
  return Math.fround(below + (above - below) * (at - Math.floor(at)));
}

/** @param probabilities Of the imputed images, in the order of `removals`. */
export function roadOf(
  whole: number,
  percentiles: readonly number[],
  probabilities: readonly number[],
): Road {
  const change = (first: number): number[] =>
    percentiles.map((_, i) => (probabilities[2 * i + first] as number) - whole);
  const [mostRelevantFirst, leastRelevantFirst] = [change(0), change(1)];
  const meanOf = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const combined = (meanOf(leastRelevantFirst) - meanOf(mostRelevantFirst)) / 2;
  return { percentiles, mostRelevantFirst, leastRelevantFirst, combined };
}
