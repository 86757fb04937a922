import { type FalsePair, falseConfidence, type MapWeights } from '../../cli/evaluation/argument';

/**
 * Maps as in Fig. 3 of the Score-CAM paper, the larger their gradient weight the smaller the increase they bring: the two
 * of the worst pair, and one that lies between them in both, if there is any. Empty where no pair is false.
 * @returns by falling weight
 */
export function falseTriple(maps: readonly MapWeights[]): MapWeights[] {
  const [worst] = falseConfidence(maps, 1).worst;
  if (!worst) return [];
  const { larger, smaller } = worst;
  const between = maps
    .filter((map) => margin(map, worst) > 0)
    .toSorted((a, b) => margin(b, worst) - margin(a, worst));
  return [larger, ...between.slice(0, 1), smaller];
}

/** How far a map is from both of a pair, in weight and in increase, as a share; not above 0 unless it lies between. */
function margin({ gradient, increase }: MapWeights, { larger, smaller }: FalsePair): number {
  const down = (larger.gradient - gradient) / (larger.gradient - smaller.gradient);
  const up = (increase - larger.increase) / (smaller.increase - larger.increase);
  return Math.min(down, 1 - down, up, 1 - up);
}
