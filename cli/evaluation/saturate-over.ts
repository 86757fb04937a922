/** `npm run evaluate -- --saturation n`: what is left of gradients on n scenes with one object. */
import { dirname } from 'node:path';
import { progressMeter } from '../../src/explain/progress';
import type { HostName } from '../hosts/hosts';
import { findModelOnDisk, readNetwork } from '../options';
import { checkWritable, writeAll } from '../output';
import { ProgressDisplay } from '../progress';
import { fileAddress } from '../server';
import { Session } from '../session';
import { printable } from '../words';
import { type SaturatedScene, saturationReport } from './saturation-report';

export interface SaturationOptions {
  readonly model: string;
  readonly runtime: HostName;
  readonly scenes: number;
  readonly firstSeed: number;
  /** Folder that the files are written to. */
  readonly out: string;
}

/** Runs over the scenes, prints the report and writes it. */
export async function saturateOver(options: SaturationOptions, signal: AbortSignal): Promise<void> {
  const { out, runtime, scenes, firstSeed } = options;
  const source = findModelOnDisk(options.model);
  const network = await readNetwork(source, signal);
  checkWritable(out);
  const display = new ProgressDisplay();
  const onStep = display.update.bind(display);
  const session = await Session.open({ runtime, signal, onStep, folders: [dirname(source.path)] });
  try {
    await session.call('open', fileAddress(session.url, source.path));
    const meter = progressMeter('scenes', onStep);
    const found: SaturatedScene[] = [];
    for (let i = 0; i < scenes; i++) {
      meter(i, scenes);
      await session.call('takeSubject', { kind: 'scene', seed: firstSeed + i, objects: 1 });
      found.push(await session.call('saturated'));
    }
    display.stop();
    const report = saturationReport(found, network.name);
    const files = new Map([
      ['report.md', report],
      ['report.json', `${JSON.stringify(found, undefined, 2)}\n`],
    ]);
    writeAll(out, new Map([...files].map(([name, text]) => [name, Buffer.from(text)])));
    console.log(printable(report, 'lines'));
    console.log(`Wrote to ${out}: ${[...files.keys()].join(', ')}`);
  } finally {
    display.stop();
    await session.close();
  }
}
