/// Runs in headless Chrome for `npm run bench`: measures, and hands everything to Node as it comes.
import { browserHost } from './browser-host';
import { type MeasureOptions, measure } from './measure/measure';
import type { Measured, Measurement } from './measure/types';

declare global {
  interface Window {
    bench(options: MeasureOptions): Promise<Measured>;
    benchProgress(done: number, total: number, what: string): Promise<void>;
    benchResult(result: Measurement): Promise<void>;
  }
}

window.bench = (options) =>
  measure(
    {
      ...browserHost,
      onProgress: (done, total, what) => void window.benchProgress(done, total, what),
      onResult: (result) => void window.benchResult(result),
    },
    options,
  );
