import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Runtime } from '../../cli/hosts/runtimes';
import { ProcessEnded, ScriptProcess } from '../../cli/hosts/script-process';
import { SetupError } from '../../scripts/browser.mjs';
import { buildScript } from '../../vite/script';
import type { Implementation } from './implementation';
import type { CaseProcess } from './process';

/** A runtime, or why it cannot be had. */
export function installed(find: () => Runtime): Runtime | string {
  try {
    return find();
  } catch (error) {
    if (error instanceof SetupError) return error.message;
    throw error;
  }
}

/** A process that runs one case at a time. One that takes the process with it fails, and the next gets a new one. */
export async function openProcess(find: () => Runtime): Promise<Implementation | string> {
  const runtime = installed(find);
  if (typeof runtime === 'string') return runtime;
  const folder = mkdtempSync(join(tmpdir(), 'score-cam-cases-'));
  const file = await buildScript('test/harness/process.ts', folder, 'cases.mjs');
  let process = new ScriptProcess<CaseProcess>(runtime, file);
  const close = async (): Promise<void> => {
    await process.close();
    rmSync(folder, { recursive: true, force: true });
  };
  const found = await process.call('whatThereIs');
  if (typeof found === 'string') {
    await close();
    return found;
  }
  return {
    has: new Set(found),
    async run(suite, name, context) {
      if (process.hasEnded) process = new ScriptProcess(runtime, file);
      try {
        return await process.call('runCase', suite, name, context);
      } catch (error) {
        if (!(error instanceof ProcessEnded)) throw error;
        return { ok: false, message: `${suite} > ${name}: ${error.message}` };
      }
    },
    close,
  };
}
