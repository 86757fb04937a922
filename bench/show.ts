import { ProgressDisplay } from '../cli/progress';
import { progressMeter } from '../src/explain/progress';
import { giga, spreadOf } from './measure/statistics';
import type { Measurement } from './measure/types';

/** One result as a line of text. */
export function lineOf({ name, runs, flop, bytes }: Measurement): string {
  const { median, min, max } = spreadOf(runs);
  const rates = [
    ...(flop ? [`${rate(giga(flop, median))} GFLOP/s`] : []),
    ...(bytes ? [`${rate(giga(bytes, median))} GB/s`] : []),
  ].join(', ');
  const spread = `(${milliseconds(min)} to ${milliseconds(max)})`;
  return `${name.padEnd(58)}${milliseconds(median).padStart(9)} ms  ${spread.padEnd(22)}${rates}`.trimEnd();
}

/** Three digits that matter. */
export function milliseconds(ms: number): string {
  if (ms >= 100) return ms.toFixed(0);
  return ms >= 10 ? ms.toFixed(1) : ms >= 1 ? ms.toFixed(2) : ms.toFixed(3);
}

export function rate(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2);
}

/** Results on stdout as they come, progress on stderr. */
export function display(): {
  onProgress(done: number, total: number, what: string): void;
  onResult(result: Measurement): void;
} {
  const progress = new ProgressDisplay();
  const meter = progressMeter('steps', (step) => progress.update(step), {
    resumes: true,
  });
  return {
    onProgress(done, total) {
      meter(done, total);
      if (done === total) progress.stop();
    },
    onResult(result) {
      // A bar would be torn apart by lines between its updates; lines are not.
      if (process.stderr.isTTY) progress.stop();
      console.log(lineOf(result));
    },
  };
}
