/** `npm run evaluate -- --argument`: Score-CAM against gradients on one image. */
import { parseClasses } from '../options';
import { falseConfidence, saturationOf } from './argument';
import { argumentPlots, argumentReport } from './argument-report';
import { type ReportOptions, reportOver } from './report-over';
import type { Subject } from './types';

export interface ArgumentOptions extends ReportOptions {
  /** Index or label; the scene's first object, or the likeliest, if not given. */
  readonly class?: string;
}

/** Runs the argument over one image, prints the report and writes it. */
export function argueOver(
  subject: Subject,
  options: ArgumentOptions,
  signal: AbortSignal,
): Promise<void> {
  return reportOver(options, signal, ({ labels }) => {
    const [asked] = options.class === undefined ? [] : parseClasses(options.class, labels);
    return async (session) => {
      await session.call('takeSubject', subject);
      const found = await session.call('argue', asked === 'auto' ? undefined : asked);
      const json = {
        ...found,
        ...falseConfidence(found.maps),
        saturated: saturationOf(found.saturation),
      };
      return {
        text: argumentReport(found),
        files: {
          'report.json': `${JSON.stringify(json, undefined, 2)}\n`,
          ...argumentPlots(found),
        },
      };
    };
  });
}
