import type { MethodOptions } from '../explain/methods/method-options';
import type { Pixels } from '../explain/pixels';
import type { Callbacks, SaliencyMap } from '../explain/types';

/** What can be measured of a map; docs/metrics.md has the formulas. */
export type Metric = 'confidence' | 'insertion' | 'deletion' | 'adcc' | 'pointing' | 'sparsity';

export const METRICS: readonly Metric[] = [
  'confidence',
  'insertion',
  'deletion',
  'adcc',
  'pointing',
  'sparsity',
];

/** In pixels of the network's input. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A map with what it is of: an Explanation, or a map of one's own. */
export interface Measurable {
  readonly map: SaliencyMap;
  /** With the probability of the whole image, if it is known: that saves a pass. */
  readonly class: { readonly index: number; readonly probability?: number };
  /** The image as the network saw it, at its input size. */
  readonly image: Pixels;
  /** How the map was made: `adcc` makes another one so. */
  readonly options?: MethodOptions | undefined;
}

export interface MeasureOptions extends Callbacks {
  /** Default: those that need no further pass but two, `confidence` and `sparsity`, and `pointing` with a box. */
  readonly metrics?: readonly Metric[] | undefined;
  /** Where the object of the class is: needed by `pointing`. */
  readonly box?: Box | undefined;
  /** Where other objects are. */
  readonly otherBoxes?: readonly Box[] | undefined;
  /** Of `insertion` and `deletion`: steps from nothing to the whole image. Default 100, 1 % each. */
  readonly steps?: number | undefined;
}

export interface Curve {
  /** Area under the curve by the trapezoidal rule, from 0 to 1. */
  readonly auc: number;
  /** [steps + 1] probability of the class with 0, 1/steps, ... 1 of the pixels moved. */
  readonly probabilities: readonly number[];
}

/** What was measured of one map. What was not asked for, or cannot be said of a flat map, is undefined. */
export interface Measures {
  /** A map without contrast explains nothing; it is measured as the map of zeros that it is. */
  readonly flat: boolean;
  /** p_c(X), of the whole image. */
  readonly probability: number;
  /** p_c(X o L), the image under its map (Chattopadhay et al. 2018). */
  readonly masked?: number;
  /** p_c(X o L) with the lower half of L's pixels muted, set to zero (Score-CAM, section 4.2). */
  readonly muted?: number;
  /** The most salient pixels first, put into the blurred image (RISE, section 4.2). */
  readonly insertion?: Curve;
  /** The most salient pixels first, set to the data set's mean colour. */
  readonly deletion?: Curve;
  /** Pearson correlation of L with the map of X o L, brought to [0, 1] (Poppi et al. 2021). */
  readonly coherency?: number;
  /** Mean of L (Poppi et al. 2021). */
  readonly complexity?: number;
  /** Harmonic mean of coherency, 1 - complexity and 1 - drop (Poppi et al. 2021). */
  readonly adcc?: number;
  /** max L / mean L (Gomez et al. 2022). */
  readonly sparsity?: number;
  /** Share of L's energy inside the object's box (Score-CAM, section 4.3). */
  readonly energy?: number;
  /** Share of L's energy inside the other boxes. */
  readonly energyElsewhere?: number;
  /** Whether L's maximum lies in the box (the pointing game of Zhang et al. 2018). */
  readonly hit?: boolean;
  /** Forward passes spent on measuring, those of the second map of `adcc` included. */
  readonly passes: number;
}
