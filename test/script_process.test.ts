/** A process that is called, in each runtime that is installed; no GPU is needed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { denoRuntime, type Runtime } from '../cli/hosts/runtimes';
import { ProcessEnded, ScriptProcess } from '../cli/hosts/script-process';
import { buildScript } from '../vite/script';
import type { Called } from './harness/called-script';
import { installed } from './harness/processes';

const node: Runtime = { title: 'Node', program: process.execPath, args: [] };
const deno = installed(denoRuntime);
if (typeof deno === 'string') console.log(`The test of scripts in Deno is left out: ${deno}`);

describe.each(typeof deno === 'string' ? [node] : [node, deno])('a script in $title', (runtime) => {
  const folder = mkdtempSync(join(tmpdir(), 'score-cam-called-'));
  const events: unknown[] = [];
  let file: string;
  let script: ScriptProcess<Called>;

  beforeAll(async () => {
    file = await buildScript('test/harness/called-script.ts', folder, 'called.mjs');
    script = new ScriptProcess(runtime, file, (...event) => events.push(event));
  });

  afterAll(async () => {
    await script?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('answers calls, each its own', async () => {
    const calls = [script.call('later', 200, 'slow'), script.call('later', 0, 'fast')];
    expect(await script.call('add', 2, 3)).toBe(5);
    expect(await script.call('nothing')).toBeUndefined();
    expect(await Promise.all(calls)).toEqual(['slow', 'fast']);
  });

  it('keeps what is logged apart, and reports', async () => {
    await script.call('log', '{"id":0,"value":"no answer"}');
    expect(events).toEqual([['logged', { text: '{"id":0,"value":"no answer"}' }]]);
  });

  it('passes errors on', async () => {
    await expect(script.call('fail', 'as was to be')).rejects.toThrow(/as was to be[\s\S]* fail/);
    expect(await script.call('add', 1, 1)).toBe(2);
  });

  it('tells every call how the process ended, and what it said last', async () => {
    const waiting = script.call('later', 60_000, 'never');
    const told = expect(waiting).rejects.toThrow(
      `${runtime.title} ended with exit code 7. It said: `,
    );
    await expect(script.call('end', 7)).rejects.toThrow(/before the end$/);
    await told;
    expect(script.hasEnded).toBe(true);
    await expect(script.call('add', 1, 1)).rejects.toBeInstanceOf(ProcessEnded);
  });

  it('ends when it is told to, in the middle of anything', async () => {
    const other = new ScriptProcess<Called>(runtime, file);
    const told = expect(other.call('later', 60_000, 'never')).rejects.toThrow(
      'was ended by SIGKILL',
    );
    await other.close();
    await told;
  });

  it('says when a program cannot be started', async () => {
    const none = new ScriptProcess<Called>({ ...runtime, program: join(folder, 'none') }, file);
    await expect(none.call('add', 1, 1)).rejects.toThrow(/did not start: .*ENOENT/);
  });
});
