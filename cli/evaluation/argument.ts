/**
 * The argument of the seminar this project grew out of, for one image: gradients against measured increases of
 * confidence. Computations alone; argue.ts runs the network, argument-report.ts writes it down.
 */
import { pearson, spearman } from '../../src/evaluation/index';

/** One activation map's weight by Grad-CAM and what Score-CAM measured of it. */
export interface MapWeights {
  readonly channel: number;
  /** Mean gradient of the logit. */
  readonly gradient: number;
  /** p_c(X o H_k) - p_c(X_b). */
  readonly increase: number;
}

/** The image at strength t, from the mean colour (0) to itself (1). */
export interface SaturationPoint {
  readonly t: number;
  readonly probability: number;
  /** Euclidean norm of Grad-CAM's weights, of the logit and of the probability. */
  readonly ofLogit: number;
  readonly ofProbability: number;
}

/** Share of a map's energy in the asked object's box and in the other's. */
export interface Discrimination {
  readonly method: string;
  readonly label: string;
  readonly own: number;
  readonly other: number;
}

/** How far CAM's weights are from Grad-CAM's up to scale, as a share of the largest. */
export interface CamAgreement {
  readonly difference: number;
}

/** What was run for one image. */
export interface Argument {
  readonly image: string;
  readonly model: string;
  readonly label: string;
  readonly probability: number;
  readonly maps: readonly MapWeights[];
  readonly saturation: readonly SaturationPoint[];
  /** Where CAM is not defined, why, and its agreement on the same layers under a pooling head. */
  readonly cam: CamAgreement | { readonly refused: string; readonly variant: CamAgreement };
  /** Empty without boxes. */
  readonly discrimination: readonly Discrimination[];
}

/** Two maps of which the one with the larger weight raises the confidence less. */
export interface FalsePair {
  readonly larger: MapWeights;
  readonly smaller: MapWeights;
}

export interface FalseConfidence {
  readonly pairs: number;
  readonly falsePairs: number;
  /** The worst, each map at most once: by the product of both differences. */
  readonly worst: readonly FalsePair[];
  readonly spearman: number | undefined;
  readonly pearson: number | undefined;
}

/** How often the order of the gradient weights is not that of the measured increases. */
export function falseConfidence(maps: readonly MapWeights[], shown = 3): FalseConfidence {
  const found: (FalsePair & { readonly blatancy: number })[] = [];
  let pairs = 0;
  maps.forEach((a, i) => {
    for (const b of maps.slice(i + 1)) {
      const [larger, smaller] = a.gradient > b.gradient ? [a, b] : [b, a];
      if (larger.gradient === smaller.gradient || larger.increase === smaller.increase) continue;
      pairs++;
      const blatancy = (larger.gradient - smaller.gradient) * (smaller.increase - larger.increase);
      if (blatancy > 0) found.push({ larger, smaller, blatancy });
    }
  });
  found.sort((a, b) => b.blatancy - a.blatancy);
  const worst: FalsePair[] = [];
  const used = new Set<number>();
  for (const { larger, smaller } of found) {
    if (worst.length === shown) break;
    if (used.has(larger.channel) || used.has(smaller.channel)) continue;
    used.add(larger.channel).add(smaller.channel);
    worst.push({ larger, smaller });
  }
  const gradients = maps.map(({ gradient }) => gradient);
  const increases = maps.map(({ increase }) => increase);
  return {
    pairs,
    falsePairs: found.length,
    worst,
    spearman: spearman(gradients, increases),
    pearson: pearson(gradients, increases),
  };
}

/** How the gradients at the whole image compare with their largest on the way to it. */
export function saturationOf(points: readonly SaturationPoint[]): {
  readonly peak: SaturationPoint;
  readonly end: SaturationPoint;
  /** Gradient at the whole image as a share of the largest on the way. */
  readonly logitLeft: number;
  readonly probabilityLeft: number;
  readonly holds: boolean;
} {
  const largest = (of: (point: SaturationPoint) => number): SaturationPoint =>
    points.reduce((best, point) => (of(point) > of(best) ? point : best));
  const peak = largest(({ ofProbability }) => ofProbability);
  const end = points.at(-1) as SaturationPoint;
  const logitLeft = end.ofLogit / largest(({ ofLogit }) => ofLogit).ofLogit;
  const probabilityLeft = end.ofProbability / peak.ofProbability;
  // Saturation is what the probability's gradient loses over the logit's.
  return { peak, end, logitLeft, probabilityLeft, holds: probabilityLeft < 0.5 * logitLeft };
}
