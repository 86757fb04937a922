import { SetupError } from '../../scripts/browser.mjs';
import { installPackages } from '../../scripts/main.mjs';
import type { Step } from '../../src/explain/progress';
import { buildScript } from '../../vite/script';
import { CliError } from '../errors';
import type { Outcome } from '../page-api';
import type { Launch } from './host';
import { ownFolder } from './own-folder';
import type { Runtime } from './runtimes';
import { ProcessEnded, ScriptProcess } from './script-process';

type Functions = Readonly<Record<string, (...args: never[]) => Promise<Outcome<unknown>>>> & {
  version(): string;
};

/** A process without a browser. */
export function processHost(find: () => Runtime): Launch {
  return async (onStep) => {
    const runtime = await foundOrInstalled(find);
    const folder = ownFolder();
    try {
      const file = await buildScript('cli/hosts/page-process.ts', folder.path, 'page.mjs');
      const process = new ScriptProcess<Functions>(runtime, file, (_, step) =>
        onStep(step as Step),
      );
      return {
        version: await process.call('version'),
        // Calls themselves tell of its end.
        end: new Promise(() => {}),
        async open() {},
        async call(name, args) {
          try {
            return await process.call(name, ...(args as never[]));
          } catch (error) {
            throw error instanceof ProcessEnded ? new CliError(error.message) : error;
          }
        },
        async close() {
          await process.close();
          folder.remove();
        },
      };
    } catch (error) {
      folder.remove();
      throw error;
    }
  };
}

async function foundOrInstalled(find: () => Runtime): Promise<Runtime> {
  try {
    return find();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    await installPackages('bench', 'WebGPU without a browser');
    return find();
  }
}
