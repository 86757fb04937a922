/** Metrics that cost many passes are measured on the first images only: which, and on how many unless told. */
import type { Command } from 'commander';
import type { Metric } from '../../src/evaluation/types';
import { parseWhole } from '../option-types';

interface Limit {
  readonly metrics: readonly Metric[];
  readonly images: number;
  readonly what: string;
}

const LIMITS = {
  curves: { metrics: ['insertion', 'deletion'], images: 5, what: 'insertion and deletion' },
  adcc: { metrics: ['adcc'], images: 10, what: 'ADCC, which explains every image anew,' },
  road: { metrics: ['road'], images: 10, what: 'ROAD, which imputes 8 images a map,' },
  arcc: { metrics: ['arcc'], images: 10, what: 'ARCC, which is of ROAD and of a second map,' },
  saco: { metrics: ['saco'], images: 10, what: 'SaCo, 10 passes a map,' },
  infidelity: { metrics: ['infidelity'], images: 5, what: 'infidelity, 100 passes a map,' },
  sensitivity: {
    metrics: ['sensitivity'],
    images: 1,
    what: 'max-sensitivity, which explains every image ten times anew,',
  },
} as const satisfies Readonly<Record<string, Limit>>;

type LimitName = keyof typeof LIMITS;

/** As the command line gives them. */
export type LimitOptions = Readonly<Record<LimitName, string>>;

/** On how many images each is measured. */
export type ImageLimits = Readonly<Record<LimitName, number>>;

const all = Object.entries(LIMITS) as [LimitName, Limit][];

export function addLimits(program: Command): Command {
  for (const [name, { images, what }] of all) {
    program.option(`--${name} <n>`, `${what} on the first n images only`, String(images));
  }
  return program;
}

/** @throws CliError for one that is no whole number */
export function parseLimits(options: LimitOptions): ImageLimits {
  const limits = all.map(([name]) => [name, parseWhole(`--${name}`, options[name], 0)]);
  return Object.fromEntries(limits) as ImageLimits;
}

/** What is measured of the maps of one image, counted from 0. */
export function metricsAt(
  metrics: readonly Metric[],
  limits: ImageLimits,
  image: number,
): Metric[] {
  return metrics.filter((metric) =>
    all.every(([name, { metrics: limited }]) => !limited.includes(metric) || image < limits[name]),
  );
}
