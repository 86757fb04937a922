/** From measured maps to tables, without a browser. */
import { type Figures, figuresOf, type Summary, summarise, win } from '../../src/evaluation/index';
import { uniform } from '../../src/explain/random';
import type { Measures, Passes } from '../../src/index';
import { median } from '../median';
import type { MethodSpec } from './specs';
import type { Row } from './types';

export type Interval = readonly [number, number];

/** All maps of one method. */
export interface Summarised {
  readonly name: string;
  /** Why there are no maps, if there are none. */
  readonly refused?: string;
  readonly summary: Summary;
  /** On how many maps each figure rests. */
  readonly counts: Readonly<Partial<Record<keyof Figures, number>>>;
  /** 95 % interval of each mean, by resampling images; absent where they are of one image. */
  readonly intervals: Readonly<Partial<Record<keyof Figures, Interval>>>;
  /** Median of a whole explanation, first class of each image. */
  readonly milliseconds?: number;
  /** Mean of a whole explanation, first class of each image. */
  readonly passes?: Passes;
  /** Mean curves. */
  readonly curves: {
    readonly insertion?: readonly number[];
    readonly deletion?: readonly number[];
  };
  /** Mean correlation with Score-CAM's maps of the same images and classes. */
  readonly agreement?: number;
  /** Win against the first method, in percent; undefined for itself. */
  readonly win?: number;
}

export function summariseRows(rows: readonly Row[], specs: readonly MethodSpec[]): Summarised[] {
  const of = (name: string): Row[] => rows.filter(({ method }) => method === name);
  const reference = of(specs[0]?.name as string);
  return specs.map(({ name }, i) => {
    const own = of(name);
    const measured = own.flatMap(({ measures }) => (measures ? [measures] : []));
    const refused = own.find((row) => row.refused)?.refused;
    const first = own.filter((row) => row.first);
    const counts: Partial<Record<keyof Figures, number>> = {};
    for (const measures of measured) {
      for (const key of Object.keys(figuresOf(measures)) as (keyof Figures)[]) {
        counts[key] = (counts[key] ?? 0) + 1;
      }
    }
    const agreements = own.flatMap(({ agreement }) => (agreement === undefined ? [] : [agreement]));
    const pairs = i === 0 ? [] : paired(reference, own, ({ masked }) => masked !== undefined);
    return {
      name,
      ...(refused === undefined ? {} : { refused }),
      summary: summarise(measured),
      counts,
      intervals: intervalsOf(own),
      ...(first.length > 0
        ? {
            milliseconds: median(first.map(({ milliseconds }) => milliseconds as number)),
            passes: meanPasses(first.map(({ passes }) => passes as Passes)),
          }
        : {}),
      curves: curvesOf(measured),
      ...(agreements.length > 0
        ? { agreement: agreements.reduce((a, b) => a + b) / agreements.length }
        : {}),
      ...(pairs.length > 0
        ? {
            win: win(
              pairs.map(([, b]) => b),
              pairs.map(([a]) => a),
            ),
          }
        : {}),
    };
  });
}

function intervalsOf(rows: readonly Row[]): Summarised['intervals'] {
  const values = new Map<keyof Figures, ImageValue[]>();
  for (const { image, measures } of rows) {
    if (!measures) continue;
    const figures = Object.entries(figuresOf(measures)) as [keyof Figures, number][];
    for (const [key, value] of figures) {
      const known = values.get(key) ?? [];
      values.set(key, known);
      known.push({ image, value });
    }
  }
  const several = [...values].filter(([, own]) => own.some(({ image }) => image !== own[0]?.image));
  return Object.fromEntries(several.map(([key, own]) => [key, bootstrap(own)]));
}

/** Measures of two methods on the same images and classes. */
function paired(
  a: readonly Row[],
  b: readonly Row[],
  has: (measures: Measures) => boolean,
): [Measures, Measures, string][] {
  const keyOf = (row: Row): string => `${row.image}\n${row.class}`;
  const others = new Map(b.map((row) => [keyOf(row), row.measures]));
  return a.flatMap((row): [Measures, Measures, string][] => {
    const other = others.get(keyOf(row));
    const { measures } = row;
    return measures && other && has(measures) && has(other) ? [[measures, other, row.image]] : [];
  });
}

function curvesOf(measured: readonly Measures[]): Summarised['curves'] {
  const meanOf = (key: 'insertion' | 'deletion'): number[] | undefined => {
    const all = measured.flatMap((one) => (one[key] ? [one[key].probabilities] : []));
    return all[0]?.map(
      (_, i) => all.reduce((sum, curve) => sum + (curve[i] as number), 0) / all.length,
    );
  };
  const [insertion, deletion] = [meanOf('insertion'), meanOf('deletion')];
  return { ...(insertion ? { insertion } : {}), ...(deletion ? { deletion } : {}) };
}

function meanPasses(all: readonly Passes[]): Passes {
  const meanOf = (key: keyof Passes): number =>
    all.reduce((sum, passes) => sum + passes[key], 0) / all.length;
  return { forward: meanOf('forward'), backward: meanOf('backward'), head: meanOf('head') };
}

/** One figure of two methods compared on the same maps. */
export interface Verdict {
  readonly figure: keyof Figures;
  readonly what: string;
  /** Means of the first and the second method over the maps that both have. */
  readonly first: number;
  readonly second: number;
  readonly maps: number;
  /** 95 % interval of first - second, by resampling images. */
  readonly interval: Interval;
  readonly outcome: 'better' | 'worse' | 'undecided';
}

const COMPARED: readonly [keyof Figures, string, 'higher' | 'lower'][] = [
  ['averageDrop', 'Average Drop, %', 'lower'],
  ['averageIncrease', 'Average Increase, %', 'higher'],
  ['averageDropMuted', 'Average Drop, half muted, %', 'lower'],
  ['averageIncreaseMuted', 'Average Increase, half muted, %', 'higher'],
  ['energy', 'energy in the box, %', 'higher'],
  ['rank', 'relevance rank, %', 'higher'],
  ['hits', 'maximum in the box, %', 'higher'],
  ['insertion', 'insertion AUC', 'higher'],
  ['deletion', 'deletion AUC', 'lower'],
  ['adcc', 'ADCC', 'higher'],
  ['road', 'ROAD', 'higher'],
  ['arcc', 'ARCC', 'higher'],
  ['saco', 'SaCo', 'higher'],
  ['infidelity', 'infidelity', 'lower'],
  ['sensitivity', 'max-sensitivity', 'lower'],
];

const RESAMPLINGS = 2000;

/**
 * Compares two methods on all figures both have. A difference counts where the bootstrap's 95 % interval,
 * resampling whole images (their classes belong together), excludes 0.
 */
export function judge(rows: readonly Row[], first: string, second: string): Verdict[] {
  const of = (name: string): Row[] => rows.filter(({ method }) => method === name);
  return COMPARED.flatMap(([figure, what, direction]): Verdict[] => {
    const pairs = paired(of(first), of(second), (one) => figure in figuresOf(one));
    if (pairs.length === 0) return [];
    const values = pairs.map(([a, b, image]) => ({
      image,
      a: figuresOf(a)[figure] as number,
      b: figuresOf(b)[figure] as number,
    }));
    const meanOf = (value: (one: (typeof values)[number]) => number): number =>
      values.reduce((sum, one) => sum + value(one), 0) / values.length;
    const interval = bootstrap(values.map(({ image, a, b }) => ({ image, value: a - b })));
    const sign = direction === 'higher' ? 1 : -1;
    const [low, high] = sign > 0 ? interval : [-interval[1], -interval[0]];
    const outcome = low > 0 ? 'better' : high < 0 ? 'worse' : 'undecided';
    return [
      {
        figure,
        what: `${what} (${direction} is better)`,
        first: meanOf(({ a }) => a),
        second: meanOf(({ b }) => b),
        maps: values.length,
        interval,
        outcome,
      },
    ];
  });
}

interface ImageValue {
  readonly image: string;
  readonly value: number;
}

/** 95 % interval of the mean, resampling images: a figure of one image's classes is drawn with that of the others. */
function bootstrap(values: readonly ImageValue[]): Interval {
  const byImage = new Map<string, { total: number; count: number }>();
  for (const { image, value } of values) {
    const known = byImage.get(image) ?? { total: 0, count: 0 };
    byImage.set(image, { total: known.total + value, count: known.count + 1 });
  }
  const images = [...byImage.values()];
  const next = uniform(1);
  const means = Array.from({ length: RESAMPLINGS }, () => {
    let total = 0;
    let count = 0;
    for (let i = 0; i < images.length; i++) {
      const drawn = images[Math.floor(next() * images.length)] as (typeof images)[number];
      total += drawn.total;
      count += drawn.count;
    }
    return total / count;
  }).sort((a, b) => a - b);
  const at = (share: number): number => means[Math.round(share * (RESAMPLINGS - 1))] as number;
  return [at(0.025), at(0.975)];
}
