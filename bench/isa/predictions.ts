import type { Column } from '../report/html';
import type { Budgets } from './budgets';
import { KNOWN_GPUS, type KnownGpu, ratesOf } from './chips';
import { secondsOfStep } from './predict';
import type { Chip, Way } from './types';

/** What each way is predicted to take on one GPU. */
export interface Prediction {
  readonly gpu: KnownGpu;
  readonly ways: readonly PredictedWay[];
}

interface PredictedWay extends Pick<Way, 'name' | 'precision'> {
  readonly seconds: number;
  readonly steps: readonly { readonly name: string; readonly seconds: number }[];
}

/** The compiler whose shares stand for a GPU's: RDNA3 has its own, and RDNA2's are taken for all others. */
const chipOf = ({ name }: KnownGpu): Chip => (name.startsWith('AMD') ? 'navi31' : 'navi21');

/** @param budgets whose shares are taken */
export function predictions(ways: readonly Way[], budgets: Budgets): Prediction[] {
  return KNOWN_GPUS.map((gpu) => ({
    gpu,
    ways: ways.map(({ name, precision, steps }) => {
      const each = steps.map((step) => ({
        name: step.name,
        seconds: secondsOfStep(step, ratesOf(gpu), precision, chipOf(gpu), budgets),
      }));
      const seconds = each.reduce((sum, own) => sum + own.seconds, 0);
      return { name, precision, seconds, steps: each };
    }),
  }));
}

/** What stands for the library's own choice among ways. */
export const CHOSEN = 'as chosen';

/** The layers that each way is the fastest for in f32, but for the way that has the most of them: that has the rest. */
function fastest({ ways }: Prediction): string {
  const rivals = ways.filter(({ name, precision }) => precision === 'f32' && name !== CHOSEN);
  const won = new Map<string, string[]>(rivals.map(({ name }) => [name, []]));
  rivals[0]?.steps.forEach(({ name, seconds }, i) => {
    const times = rivals.map((way) => way.steps[i]?.seconds ?? Infinity);
    // Layers that all ways compute alike, in slightly different batches, are nobody's.
    if (times.every((time) => Math.abs(time / seconds - 1) < 0.01)) return;
    won.get(rivals[times.indexOf(Math.min(...times))]?.name as string)?.push(name);
  });
  const [most, ...others] = [...won].sort(([, a], [, b]) => b.length - a.length);
  const told = others.filter(([, layers]) => layers.length > 0);
  return [`${most?.[0]}`, ...told.map(([way, layers]) => `${way}: ${layers.join(', ')}`)].join(
    '; ',
  );
}

const secondsText = (seconds: number): string =>
  seconds >= 10 ? seconds.toFixed(1) : seconds.toFixed(2);

/** A row a GPU. */
export function predictionColumns(ways: readonly Way[]): Column<Prediction>[] {
  return [
    { head: 'GPU', of: ({ gpu }) => gpu.name },
    { head: 'TFLOP/s', of: ({ gpu }) => String(gpu.tflops), isNumber: true },
    { head: 'GB/s', of: ({ gpu }) => String(gpu.gbps), isNumber: true },
    { head: 'cache, MB', of: ({ gpu }) => String(gpu.cacheMb), isNumber: true },
    ...ways.map(
      ({ name, precision }, i): Column<Prediction> => ({
        head: `${name}, ${precision}`,
        of: (row) => secondsText(row.ways[i]?.seconds ?? 0),
        isNumber: true,
      }),
    ),
    { head: 'fastest in f32', of: fastest },
  ];
}
