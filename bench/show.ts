import { ProgressDisplay } from '../cli/progress';
import { progressMeter } from '../src/explain/progress';
import { giga, spreadOf } from './measure/statistics';
import type { Measurement } from './measure/types';
import { ms, number } from './report/format';

/** One result as a line of text. */
export function lineOf({ name, runs, flop, bytes, predicted }: Measurement): string {
  const { median, min, max } = spreadOf(runs);
  const rates = [
    ...(flop ? [`${number(giga(flop, median))} GFLOP/s`] : []),
    ...(bytes ? [`${number(giga(bytes, median))} GB/s`] : []),
    ...(predicted ? [`${number(median / predicted)} x predicted`] : []),
  ].join(', ');
  const spread = `(${ms(min)} to ${ms(max)})`;
  return `${name.padEnd(58)}${ms(median).padStart(9)} ms  ${spread.padEnd(22)}${rates}`.trimEnd();
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
