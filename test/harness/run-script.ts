/** Runs the project's scripts in Node as npm would, without the set-up. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectRoot } from '../../cli/server';
import { findBrowser } from '../../scripts/browser.mjs';

export interface Finished {
  /** null where a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface How {
  /** The project's folder unless given. */
  readonly cwd?: string | undefined;
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Milliseconds after which a script that hangs is killed. */
  readonly timeout?: number | undefined;
  /** Gets the script's process once it is started. */
  onStart?(child: ChildProcess): void;
  /** Hears of everything on stderr, to stop the script in the middle. @param text all of it so far */
  onStderr?(child: ChildProcess, text: string): void;
}

/** @param script TypeScript file, from the project's folder on, such as `cli/explain.ts` */
export function runScript(
  script: string,
  args: readonly string[],
  { cwd = projectRoot, env, timeout, onStart, onStderr }: How = {},
): Promise<Finished> {
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const browser = findBrowser();
  const child = spawn(process.execPath, ['--import', loader, join(projectRoot, script), ...args], {
    cwd,
    env: {
      ...process.env,
      TSX_TSCONFIG_PATH: join(projectRoot, 'tsconfig.json'),
      ...(browser ? { CHROME_PATH: browser } : {}),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(timeout === undefined ? {} : { timeout, killSignal: 'SIGKILL' as const }),
  });
  onStart?.(child);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
    onStderr?.(child, stderr);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/**
 * The same for several lists of arguments, one after the other in one process, which reads all sources once: for what
 * leaves nothing of a run to the next.
 */
export async function runEach(
  script: string,
  lists: readonly (readonly string[])[],
  how: How,
): Promise<Finished[]> {
  const args = [join(projectRoot, script), JSON.stringify(lists)];
  const { code, stdout, stderr } = await runScript('test/harness/each-in-turn.ts', args, how);
  if (code !== 0) throw new Error(`${script} ends with ${code}: ${stderr}`);
  return JSON.parse(stdout) as Finished[];
}
