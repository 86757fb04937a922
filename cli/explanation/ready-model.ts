/** A model where a page or process can load it from. */
import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Step } from '../../src/explain/progress';
import type { ModelSource } from '../options';
import { prepareModel } from '../prepare';
import { fileAddress, remoteAddress } from '../server';

export type ReadyModel = Exclude<ModelSource, { kind: 'preset' }>;

/** Downloads a preset that is not on this disk yet. */
export async function onDisk(
  source: ModelSource,
  signal: AbortSignal,
  onStep: (step: Step) => void,
): Promise<ReadyModel> {
  if (source.kind !== 'preset') return source;
  const { manifest, dtype, folder } = source;
  const options = { manifest, dtype, out: folder, keepDownload: false, signal, onStep };
  const prepared = await prepareModel(options);
  return { kind: 'file', path: prepared.manifest };
}

/** What the local server must make reachable for this model. */
export function reachOf(source: ReadyModel): { folders?: string[]; remoteOrigin?: string } {
  if (source.kind === 'file') return { folders: [dirname(realpathSync(source.path))] };
  return source.kind === 'url' ? { remoteOrigin: new URL(source.url).origin } : {};
}

/** The model as the page is to name it. */
export function addressOf(source: ReadyModel, base: string): string {
  if (source.kind === 'generated') return source.name;
  return source.kind === 'url'
    ? remoteAddress(base, source.url)
    : fileAddress(base, realpathSync(source.path));
}
