/** `npm run evaluate -- --saturation n`: what is left of gradients on n scenes with one object. */
import { progressMeter } from '../../src/explain/progress';
import { type ReportOptions, reportOver } from './report-over';
import { type SaturatedScene, saturationReport } from './saturation-report';

export interface SaturationOptions extends ReportOptions {
  readonly scenes: number;
  readonly firstSeed: number;
}

/** Runs over the scenes, prints the report and writes it. */
export function saturateOver(options: SaturationOptions, signal: AbortSignal): Promise<void> {
  const { scenes, firstSeed } = options;
  return reportOver(options, signal, ({ name }) => async (session, onStep) => {
    const meter = progressMeter('scenes', onStep);
    const found: SaturatedScene[] = [];
    for (let i = 0; i < scenes; i++) {
      meter(i, scenes);
      await session.call('takeSubject', { kind: 'scene', seed: firstSeed + i, objects: 1 });
      found.push(await session.call('saturated'));
    }
    const json = `${JSON.stringify(found, undefined, 2)}\n`;
    return { text: saturationReport(found, name), files: { 'report.json': json } };
  });
}
