import type { Column } from '../report/html';
import { KNOWN_GPUS, type KnownGpu, ratesOf } from './chips';
import { secondsOfStep } from './predict';
import type { Way } from './types';

/** What one way is predicted to take on every GPU, and on each the steps that it is the fastest for. */
export interface Prediction {
  readonly way: Pick<Way, 'name' | 'precision'>;
  readonly gpus: readonly {
    readonly name: string;
    readonly seconds: number;
    readonly steps: readonly number[];
  }[];
}

/** The compiler whose shares stand for a GPU's: RDNA3 has its own, and RDNA2's are taken for all others. */
const chipOf = ({ name }: KnownGpu) => (name.startsWith('AMD') ? 'navi31' : 'navi21');

export function predictions(ways: readonly Way[]): Prediction[] {
  return ways.map(({ name, precision, steps }) => ({
    way: { name, precision },
    gpus: KNOWN_GPUS.map((gpu) => {
      const rates = ratesOf(gpu);
      const each = steps.map((step) => secondsOfStep(step, rates, precision, chipOf(gpu)));
      return { name: gpu.name, seconds: each.reduce((a, b) => a + b, 0), steps: each };
    }),
  }));
}

/** A row a way. */
export const gpuColumns: readonly Column<Prediction>[] = [
  { head: 'way', of: ({ way }) => `${way.name}, ${way.precision}` },
  ...KNOWN_GPUS.map(
    ({ name }, i): Column<Prediction> => ({
      head: name,
      of: ({ gpus }) => secondsText(gpus[i]?.seconds ?? 0),
      isNumber: true,
    }),
  ),
];

export const secondsText = (seconds: number): string =>
  seconds >= 10 ? seconds.toFixed(1) : seconds.toFixed(2);
