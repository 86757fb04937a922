import { median } from '../../cli/median';

/** Median, smallest and largest of some runs. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/** 10^9 of something a second, from an amount and the milliseconds it took. */
export function giga(amount: number, ms: number): number {
  return ms > 0 ? amount / ms / 1e6 : 0;
}
