import type { SaliencyMap } from '../explain/types';
import type { Box, Measures } from './types';

/* Metrics of maps, without a GPU. docs/metrics.md says what each is good and bad at. */

const sum = (values: ArrayLike<number>): number => {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i] as number;
  return total;
};

const mean = (values: ArrayLike<number>): number => sum(values) / values.length;

/** Share by which the probability falls, 0 if it rises (Chattopadhay et al. 2018). */
export function drop(whole: number, masked: number): number {
  return whole > 0 ? Math.max(0, whole - masked) / whole : 0;
}

/**
 * Each pixel's place in the order of falling saliency, 0 the most salient. Equal pixels keep the order of
 * reading, from the upper left, so that the same map always gives the same curve.
 */
export function ranksOf(map: ArrayLike<number>): Uint32Array<ArrayBuffer> {
  const value = (i: number): number => map[i] as number;
  const order = Uint32Array.from({ length: map.length }, (_, i) => i);
  order.sort((a, b) => value(b) - value(a) || a - b);
  const ranks = new Uint32Array(map.length);
  order.forEach((pixel, rank) => {
    ranks[pixel] = rank;
  });
  return ranks;
}

/** The map with the less salient half of its pixels (rounded down) set to zero. */
export function muteHalf(map: Float32Array): Float32Array {
  const ranks = ranksOf(map);
  return map.map((value, i) => ((ranks[i] as number) < Math.ceil(map.length / 2) ? value : 0));
}

/** Area under a curve of equally spaced points from 0 to 1, by the trapezoidal rule. */
export function areaUnder(curve: readonly number[]): number {
  const ends = ((curve[0] as number) + (curve.at(-1) as number)) / 2;
  return (sum(curve) - ends) / (curve.length - 1);
}

/**
 * Share of the map's energy inside any of the boxes (Score-CAM, section 4.3), which is the relevance mass accuracy of Arras et
 * al. 2022; undefined for a map of zeros, which has none. */
export function energyIn(map: SaliencyMap, boxes: readonly Box[]): number | undefined {
  const all = sum(map.data);
  if (!(all > 0)) return undefined;
  const inside = map.data.filter((_, i) => boxes.some((box) => holds(box, map.width, i)));
  return sum(inside) / all;
}

/** Whether the map's first maximum lies in the box; undefined for a flat map. */
export function pointsInto({ data, width, flat }: SaliencyMap, box: Box): boolean | undefined {
  if (flat) return undefined;
  const largest = data.reduce((a, b) => Math.max(a, b));
  return holds(box, width, data.indexOf(largest));
}

/** Whether a pixel, by its index in reading order, is one of the box's. */
export function holds({ x, y, width, height }: Box, mapWidth: number, pixel: number): boolean {
  const column = pixel % mapWidth;
  const row = Math.floor(pixel / mapWidth);
  return column >= x && column < x + width && row >= y && row < y + height;
}

/**
 * Relevance rank accuracy (Arras et al. 2022): of the K most salient pixels the share that lies in the box, which holds K.
 * Undefined for a flat map, and for a box that holds the middle of no pixel.
 */
export function rankIn({ data, width, flat }: SaliencyMap, box: Box): number | undefined {
  const own = [...data.keys()].filter((i) => holds(box, width, i));
  if (flat || own.length === 0) return undefined;
  const ranks = ranksOf(data);
  return own.filter((i) => (ranks[i] as number) < own.length).length / own.length;
}

/** max / mean: 1 for an even map, the number of pixels for a single one; undefined for a map of zeros. */
export function sparsityOf(map: Float32Array): number | undefined {
  const average = mean(map);
  return average > 0 ? map.reduce((a, b) => Math.max(a, b)) / average : undefined;
}

/** Harmonic mean of coherency, 1 - complexity and 1 - drop; 0 if one of them is (Poppi et al. 2021). */
export function adccOf(coherency: number, complexity: number, dropped: number): number {
  return harmonicMean([coherency, 1 - complexity, 1 - dropped]);
}

/**
 * Harmonic mean of coherency, 1 - complexity and twice ROAD's combination, cut to 0 to 1 (Domeniconi et al. 2026, whose
 * code is pytorch-grad-cam's `ARCC`).
 */
export function arccOf(coherency: number, complexity: number, road: number): number {
  return harmonicMean([coherency, 1 - complexity, Math.min(1, Math.max(0, 2 * road))]);
}

/** 0 if a part is. */
function harmonicMean(parts: readonly number[]): number {
  if (parts.some((part) => part <= 0)) return 0;
  return parts.length / sum(parts.map((part) => 1 / part));
}

/** Pearson's correlation; undefined where one side does not vary. */
export function pearson(a: ArrayLike<number>, b: ArrayLike<number>): number | undefined {
  if (a.length !== b.length) throw new RangeError(`${a.length} values against ${b.length}`);
  const [meanA, meanB] = [mean(a), mean(b)];
  let product = 0;
  let squaresA = 0;
  let squaresB = 0;
  for (let i = 0; i < a.length; i++) {
    const x = (a[i] as number) - meanA;
    const y = (b[i] as number) - meanB;
    product += x * y;
    squaresA += x * x;
    squaresB += y * y;
  }
  const scale = Math.sqrt(squaresA) * Math.sqrt(squaresB);
  return scale > 0 ? product / scale : undefined;
}

/** Spearman's rank correlation: Pearson's of the ranks, equal values sharing their mean rank. */
export function spearman(a: ArrayLike<number>, b: ArrayLike<number>): number | undefined {
  return pearson(sharedRanks(a), sharedRanks(b));
}

function sharedRanks(values: ArrayLike<number>): Float64Array {
  const value = (i: number): number => values[i] as number;
  const order = Uint32Array.from({ length: values.length }, (_, i) => i);
  order.sort((a, b) => value(a) - value(b));
  const ranks = new Float64Array(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && value(order[end] as number) === value(order[start] as number)) {
      end++;
    }
    for (let i = start; i < end; i++) ranks[order[i] as number] = (start + end - 1) / 2;
    start = end;
  }
  return ranks;
}

/** Means over many maps, each over those that have the figure. */
export interface Summary {
  readonly maps: number;
  readonly flat: number;
  /** Mean share by which the probability falls under the map, in percent; lower is better. */
  readonly averageDrop?: number;
  /** Share of maps under which it rises, in percent; higher is better. */
  readonly averageIncrease?: number;
  readonly averageDropMuted?: number;
  readonly averageIncreaseMuted?: number;
  /** Mean areas under the curves. */
  readonly insertion?: number;
  readonly deletion?: number;
  readonly coherency?: number;
  readonly complexity?: number;
  readonly adcc?: number;
  /** Mean of ROAD's combination, and of its parts over the percentiles. */
  readonly road?: number;
  readonly roadMost?: number;
  readonly roadLeast?: number;
  readonly arcc?: number;
  readonly saco?: number;
  readonly infidelity?: number;
  readonly sensitivity?: number;
  readonly sparsity?: number;
  /** Mean share of energy in the box, in percent. */
  readonly energy?: number;
  readonly energyElsewhere?: number;
  /** Mean share of the box's pixels that are among as many most salient ones, in percent. */
  readonly rank?: number;
  /** Maps whose maximum lies in the box, in percent. */
  readonly hits?: number;
}

/** What `summarise` takes of one map. */
export type Figures = Omit<Summary, 'maps' | 'flat'>;

/** The figures of a single map, whose means are the summary's. */
export function figuresOf(measures: Measures): { -readonly [Key in keyof Figures]: number } {
  const { probability, masked, muted, insertion, deletion, road, hit } = measures;
  const percent = (value: number | boolean | undefined): number | undefined =>
    value === undefined ? undefined : 100 * Number(value);
  const figures: { [Key in keyof Figures]: number | undefined } = {
    averageDrop: percent(masked === undefined ? undefined : drop(probability, masked)),
    averageIncrease: percent(masked === undefined ? undefined : masked > probability),
    averageDropMuted: percent(muted === undefined ? undefined : drop(probability, muted)),
    averageIncreaseMuted: percent(muted === undefined ? undefined : muted > probability),
    insertion: insertion?.auc,
    deletion: deletion?.auc,
    coherency: measures.coherency,
    complexity: measures.complexity,
    adcc: measures.adcc,
    road: road?.combined,
    roadMost: road && mean(road.mostRelevantFirst),
    roadLeast: road && mean(road.leastRelevantFirst),
    arcc: measures.arcc,
    saco: measures.saco,
    infidelity: measures.infidelity,
    sensitivity: measures.sensitivity,
    sparsity: measures.sparsity,
    energy: percent(measures.energy),
    energyElsewhere: percent(measures.energyElsewhere),
    rank: percent(measures.rank),
    hits: percent(hit),
  };
  return Object.fromEntries(Object.entries(figures).filter(([, value]) => value !== undefined)) as {
    [Key in keyof Figures]: number;
  };
}

/** Average Drop, Average Increase and the other means of many maps. */
export function summarise(measures: readonly Measures[]): Summary {
  const all = measures.map(figuresOf);
  const names = new Set(all.flatMap((figures) => Object.keys(figures) as (keyof Figures)[]));
  const means = [...names].map((name) => {
    const values = all.flatMap((figures) => (name in figures ? [figures[name] as number] : []));
    return [name, mean(values)];
  });
  return {
    maps: measures.length,
    flat: measures.filter(({ flat }) => flat).length,
    ...Object.fromEntries(means),
  };
}

/**
 * Win (Chattopadhay et al. 2018): the share of maps, in percent, under which the probability falls
 * less by method a than by b, on the same images and classes; equal drops count half.
 */
export function win(a: readonly Measures[], b: readonly Measures[]): number {
  if (a.length !== b.length || a.length === 0) {
    throw new RangeError(
      `${a.length} maps against ${b.length}: give as many of either, at least one`,
    );
  }
  const wins = a.map((one, i) => {
    const [mine, other] = [one.masked, b[i]?.masked];
    if (mine === undefined || other === undefined) {
      throw new RangeError(`map ${i} lacks the metric "confidence"`);
    }
    const difference = drop(one.probability, mine) - drop(one.probability, other);
    return difference === 0 ? 0.5 : Number(difference < 0);
  });
  return 100 * mean(wins);
}
