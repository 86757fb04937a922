/** A part of a list that one of several machines does, by the list and two numbers alone. */
import { usageError } from './errors';

export interface Shard {
  /** From 1 to `of`. */
  readonly number: number;
  readonly of: number;
}

/** More than any cluster starts of one job. */
const MOST = 100_000;

/** `3/16` is the third of sixteen. @throws CliError saying how it is written */
export function parseShard(text: string): Shard {
  const [, first, second] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  const [number, of] = [Number(first), Number(second)];
  if (number >= 1 && number <= of && of <= MOST) return { number, of };
  throw usageError(
    `--shard "${text}": write 3/16 for the third of sixteen; the first number is from 1 to the second, which is at ` +
      `most ${MOST}.`,
  );
}

/**
 * Every `of`th of the list, beginning with the `number`th. In turn, not in runs, since the first images of an evaluation
 * have more metrics, and images of one kind often lie beside each other: this way the shards take about as long.
 */
export function shareOf<Item>(list: readonly Item[], { number, of }: Shard): Item[] {
  return list.filter((_, i) => i % of === number - 1);
}

/** The list again of which these are the shares, first to last. */
export function rejoined<Item>(shares: readonly (readonly Item[])[]): Item[] {
  const length = shares.reduce((sum, share) => sum + share.length, 0);
  return Array.from(
    { length },
    (_, i) => shares[i % shares.length]?.[Math.floor(i / shares.length)] as Item,
  );
}
