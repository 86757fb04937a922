/** Whatever is told in a report: a session with the model, what is run in it, the report printed and its files written. */
import { dirname } from 'node:path';
import type { Step } from '../../src/explain/progress';
import type { Network } from '../../src/model/network';
import type { HostName } from '../hosts/hosts';
import { findModelOnDisk, readNetwork } from '../options';
import { checkWritable, writeAll } from '../output';
import { ProgressDisplay } from '../progress';
import { fileAddress } from '../server';
import { Session } from '../session';
import { printable } from '../words';

export interface ReportOptions {
  readonly model: string;
  readonly runtime: HostName;
  /** Folder that the files are written to. */
  readonly out: string;
}

/** Markdown, and the texts of the files beside it by name. */
export interface Report {
  readonly text: string;
  readonly files: Readonly<Record<string, string>>;
}

/** Calls the page, in which the model is open. */
export type Inquiry = (session: Session, onStep: (step: Step) => void) => Promise<Report>;

/** @param prepare checks what hangs on the network, before anything is started */
export async function reportOver(
  { model, runtime, out }: ReportOptions,
  signal: AbortSignal,
  prepare: (network: Network) => Inquiry,
): Promise<void> {
  const source = findModelOnDisk(model);
  const inquire = prepare(await readNetwork(source, signal));
  checkWritable(out);
  const display = new ProgressDisplay();
  const onStep = display.update.bind(display);
  const session = await Session.open({ runtime, signal, onStep, folders: [dirname(source.path)] });
  try {
    await session.call('open', fileAddress(session.url, source.path));
    const { text, files } = await inquire(session, onStep);
    display.stop();
    const all = Object.entries({ 'report.md': text, ...files });
    writeAll(out, new Map(all.map(([name, content]) => [name, Buffer.from(content)])));
    console.log(printable(text, 'lines'));
    console.log(`Wrote to ${out}: ${all.map(([name]) => name).join(', ')}`);
  } finally {
    display.stop();
    await session.close();
  }
}
