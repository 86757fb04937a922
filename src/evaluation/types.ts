import type { MethodOptions } from '../explain/methods/method-options';
import type { Pixels } from '../explain/pixels';
import type { Callbacks, SaliencyMap } from '../explain/types';

/** What can be measured of a map; docs/metrics.md has the formulas. */
export type Metric =
  | 'confidence'
  | 'insertion'
  | 'deletion'
  | 'adcc'
  | 'road'
  | 'arcc'
  | 'saco'
  | 'infidelity'
  | 'sensitivity'
  | 'pointing'
  | 'sparsity';

export const METRICS: readonly Metric[] = [
  'confidence',
  'insertion',
  'deletion',
  'adcc',
  'road',
  'arcc',
  'saco',
  'infidelity',
  'sensitivity',
  'pointing',
  'sparsity',
];

/** Those that explain altered images, which takes the map's own passes again. */
export const MAKES_MAPS: readonly Metric[] = ['adcc', 'arcc', 'sensitivity'];

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
  /** How the map was made: `adcc`, `arcc` and `sensitivity` make others so. */
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
  /** Of `road` and `arcc`: pixels at or above them are removed. Default 20, 40, 60 and 80. */
  readonly percentiles?: readonly number[] | undefined;
  /** Of `road` and `arcc`: standard deviation of what is added to imputed values, in the normalised image. Default 0.01. */
  readonly noise?: number | undefined;
  /** Of `saco`: groups of pixels. Default 10. */
  readonly groups?: number | undefined;
  /** Of `infidelity`: squares that are removed in turn. Default 100. */
  readonly squares?: number | undefined;
  /** Of `sensitivity`: images with noise that are explained. Default 10. */
  readonly samples?: number | undefined;
  /** Of `sensitivity`: the largest noise, in the normalised image. Default 0.02. */
  readonly radius?: number | undefined;
  /** Of all that is drawn: the same seed, the same noise and squares, for every map. Default 0. */
  readonly seed?: number | undefined;
}

export interface Curve {
  /** Area under the curve by the trapezoidal rule, from 0 to 1. */
  readonly auc: number;
  /** [steps + 1] probability of the class with 0, 1/steps, ... 1 of the pixels moved. */
  readonly probabilities: readonly number[];
}

/** p_c of the image with some pixels imputed, less p_c of the whole one. */
export interface Road {
  readonly percentiles: readonly number[];
  /** [percentiles] with the most salient pixels removed: those at or above the percentile. */
  readonly mostRelevantFirst: readonly number[];
  /** [percentiles] with the least salient removed, likewise of 1 - L. */
  readonly leastRelevantFirst: readonly number[];
  /** Half of what the mean of the latter exceeds the mean of the former by, from -0.5 to 0.5. */
  readonly combined: number;
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
  /** Remove and debias: pixels are imputed, not blackened (Rong et al. 2022). */
  readonly road?: Road;
  /** Harmonic mean of coherency, 1 - complexity and twice ROAD's combination, cut to 0 to 1 (Domeniconi et al. 2026). */
  readonly arcc?: number;
  /** Whether groups of more salience weigh more, by the salience between them, from -1 to 1 (Wu et al. 2024). */
  readonly saco?: number;
  /** Mean square of what the map, scaled as suits it best, leaves unexplained where squares are removed (Yeh et al. 2019). */
  readonly infidelity?: number;
  /** The largest change of L under small noise in the image, as a share of L, by Euclid (Yeh et al. 2019). */
  readonly sensitivity?: number;
  /** max L / mean L (Gomez et al. 2022). */
  readonly sparsity?: number;
  /** Share of L's energy inside the object's box (Score-CAM, section 4.3): its relevance mass (Arras et al. 2022). */
  readonly energy?: number;
  /** Share of L's energy inside the other boxes. */
  readonly energyElsewhere?: number;
  /** Share of the box's K pixels that are among L's K largest: its relevance rank (Arras et al. 2022). */
  readonly rank?: number;
  /** Whether L's maximum lies in the box (the pointing game of Zhang et al. 2018). */
  readonly hit?: boolean;
  /** Forward passes spent on measuring, those of further maps included. */
  readonly passes: number;
}
