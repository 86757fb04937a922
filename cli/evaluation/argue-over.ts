/** `npm run evaluate -- --argument`: Score-CAM against gradients on one image. */
import { dirname } from 'node:path';
import type { HostName } from '../hosts/hosts';
import { findModelOnDisk, parseClasses, readNetwork } from '../options';
import { checkWritable, writeAll } from '../output';
import { ProgressDisplay } from '../progress';
import { fileAddress } from '../server';
import { Session } from '../session';
import { printable } from '../words';
import { falseConfidence, saturationOf } from './argument';
import { argumentPlots, argumentReport } from './argument-report';
import type { Subject } from './types';

export interface ArgumentOptions {
  readonly model: string;
  readonly runtime: HostName;
  /** Index or label; the scene's first object, or the likeliest, if not given. */
  readonly class?: string;
  /** Folder that the files are written to. */
  readonly out: string;
}

/** Runs the argument over one image, prints the report and writes it. */
export async function argueOver(
  subject: Subject,
  options: ArgumentOptions,
  signal: AbortSignal,
): Promise<void> {
  const { out, runtime } = options;
  const source = findModelOnDisk(options.model);
  const network = await readNetwork(source, signal);
  const [asked] = options.class === undefined ? [] : parseClasses(options.class, network.labels);
  checkWritable(out);
  const display = new ProgressDisplay();
  const onStep = display.update.bind(display);
  const session = await Session.open({ runtime, signal, onStep, folders: [dirname(source.path)] });
  try {
    await session.call('open', fileAddress(session.url, source.path));
    await session.call('takeSubject', subject);
    const found = await session.call('argue', asked === 'auto' ? undefined : asked);
    display.stop();
    const report = argumentReport(found);
    const json = {
      ...found,
      ...falseConfidence(found.maps),
      saturated: saturationOf(found.saturation),
    };
    const files = new Map([
      ['report.md', report],
      ['report.json', `${JSON.stringify(json, undefined, 2)}\n`],
      ...Object.entries(argumentPlots(found)),
    ]);
    writeAll(out, new Map([...files].map(([name, text]) => [name, Buffer.from(text)])));
    console.log(printable(report, 'lines'));
    console.log(`Wrote to ${out}: ${[...files.keys()].join(', ')}`);
  } finally {
    display.stop();
    await session.close();
  }
}
