import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { findProgram, SetupError } from '../../scripts/browser.mjs';
import { projectRoot } from '../server';

/** What runs a script with WebGPU and without a browser. */
export interface Runtime {
  readonly title: string;
  readonly program: string;
  /** Before the script's file. */
  readonly args: readonly string[];
}

/** Both packages are large, so they belong to the bench, which installs them on first use. */
const require = createRequire(join(projectRoot, 'bench', 'package.json'));
const REMEDY = 'install it by "npm ci" in the folder bench';

/** @throws SetupError where Deno is neither in bench/node_modules nor on the PATH */
export function denoRuntime(): Runtime {
  const args = ['run', '--quiet', '--allow-all', '--no-config', '--no-lock'];
  return { title: 'Deno', program: packagedDeno() ?? denoOnPath(), args };
}

/** Of npm's package `deno`, whose own program would put a Node between this process and Deno. */
function packagedDeno(): string | undefined {
  try {
    return (require('deno/install_api.cjs') as { runInstall(): string }).runInstall();
  } catch {
    return undefined;
  }
}

function denoOnPath(): string {
  const found = findProgram(['deno']);
  if (!found) throw new SetupError(`No Deno found: ${REMEDY}, or put one on the PATH.`);
  return found;
}

/** Node with Dawn. @throws SetupError where the package `webgpu` is not installed */
export function nodeRuntime(): Runtime {
  try {
    require.resolve('webgpu');
  } catch {
    throw new SetupError(`Node has no WebGPU without the npm package webgpu: ${REMEDY}.`);
  }
  const preload = pathToFileURL(join(projectRoot, 'cli/hosts/dawn-in-node.mjs')).href;
  return { title: 'Node with Dawn', program: process.execPath, args: ['--import', preload] };
}
