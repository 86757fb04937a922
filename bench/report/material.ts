import type { BenchFile } from '../measure/types';
import type { Draw } from './draw';
import type { Fact } from './facts';
import { ms, number, percent } from './format';
import type { Column } from './html';

/** What the parts of the report are made from. */
export interface Material {
  readonly file: BenchFile;
  readonly facts: readonly Fact[];
  readonly draw: Draw;
}

export const timeColumns: readonly Column<Fact>[] = [
  { head: 'median, ms', of: ({ time }) => ms(time.median), isNumber: true },
  { head: 'fastest', of: ({ time }) => ms(time.min), isNumber: true },
  { head: 'slowest', of: ({ time }) => ms(time.max), isNumber: true },
];
export const rateColumns: readonly Column<Fact>[] = [
  {
    head: 'GFLOP/s',
    of: ({ gflops, measurement }) =>
      gflops === undefined ? '' : `${number(gflops)}${measurement.asDirect ? '*' : ''}`,
    isNumber: true,
  },
  { head: 'GB/s', of: ({ gbps }) => number(gbps), isNumber: true },
  { head: 'of the roof', of: ({ share }) => percent(share), isNumber: true },
];
export const nameColumn: Column<Fact> = { head: 'what', of: ({ measurement }) => measurement.name };

export const DIRECT =
  '* By Winograd, with a quarter of the multiplications: the operations are those of a direct convolution, so that such rates compare with others, and may lie above the peak.';
