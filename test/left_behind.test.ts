/** What a command leaves behind when it is ended: no process and no file, however it ends. */
import type { ChildProcess } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HostName } from '../cli/hosts/hosts';
import { denoRuntime, nodeRuntime } from '../cli/hosts/runtimes';
import { findFirefox } from '../scripts/browser.mjs';
import { HostileServer } from './harness/hostile-server';
import { type Finished, runScript } from './harness/run-script';
import { redAndBlue, writeToyModel } from './harness/toy-model';

const folder = mkdtempSync(join(tmpdir(), 'score-cam-left-'));
let site: HostileServer;
/** What runs is read from /proc. */
const isLinux = process.platform === 'linux';

beforeAll(async () => {
  site = await HostileServer.start();
  writeFileSync(join(folder, 'image.png'), redAndBlue());
});
afterAll(async () => {
  await site?.close();
  // Where a test has failed.
  for (const id of isLinux ? processesWith(folder) : []) process.kill(Number(id), 'SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** A command that waits for weights which never come, and the signal that it gets then. */
async function ended(
  runtime: HostName,
  signal: NodeJS.Signals,
  temporary: string,
  script: readonly [file: string, ...args: string[]] = ['cli/explain.ts'],
): Promise<Finished> {
  const model = writeToyModel(join(folder, 'model'));
  const at = `/${basename(temporary)}`;
  const manifest = readFileSync(join(model, 'manifest.json'));
  const weights = readFileSync(join(model, 'model.safetensors'));
  let child: ChildProcess | undefined;
  site.serve(`${at}/manifest.json`, manifest);
  site.serve(
    `${at}/model.safetensors`,
    {
      size: weights.length,
      bytes(start, end) {
        child?.kill(signal);
        return new Uint8Array(weights.subarray(start, end));
      },
    },
    { stallAt: 100 },
  );
  const args = ['--model', `${site.origin}${at}/manifest.json`, '--runtime', runtime];
  const [file, ...before] = script;
  const out = join(folder, 'out');
  return runScript(file, [...before, join(folder, 'image.png'), ...args, '--out', out], {
    cwd: folder,
    env: { TMPDIR: temporary },
    onStart: (started) => {
      child = started;
    },
  });
}

/** Ids of processes whose command line or environment holds the text. */
function processesWith(text: string): string[] {
  const holds = (id: string): boolean =>
    ['cmdline', 'environ'].some((file) => {
      try {
        return readFileSync(`/proc/${id}/${file}`, 'latin1').includes(text);
      } catch {
        return false;
      }
    });
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && holds(name));
}

/** Waits for a condition as long as it takes: the test's time limit is the only clock. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20));
}

function isThere(find: () => unknown): boolean {
  try {
    return find() !== undefined;
  } catch {
    return false;
  }
}

const RUNTIMES: Readonly<Record<HostName, boolean>> = {
  chrome: true,
  firefox: isThere(findFirefox),
  deno: isThere(denoRuntime),
  node: isThere(nodeRuntime),
};

// Firefox and Deno take seconds to start. That nothing is left after SIGKILL is the harder half, and Firefox the harder case.
const wantsSlow = process.env.SCORE_CAM_SLOW === '1';
const isUsual = (runtime: HostName, signal: string): boolean =>
  runtime === 'chrome' ||
  (signal === 'SIGKILL' ? runtime === 'firefox' : runtime === 'node') ||
  wantsSlow;

describe.runIf(isLinux)('a command that is ended', () => {
  for (const runtime of Object.keys(RUNTIMES) as HostName[]) {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      it.runIf(RUNTIMES[runtime] && isUsual(runtime, signal))(
        `by ${signal} leaves nothing of ${runtime}`,
        async () => {
          const temporary = join(folder, `${runtime}-${signal}`);
          mkdirSync(temporary);
          // Of the loader that runs TypeScript, for a process of its own that may be killed.
          const left = (): string[] => readdirSync(temporary).filter((name) => !/^tsx-/.test(name));
          const { code, stderr } = await ended(runtime, signal, temporary);
          if (signal === 'SIGKILL') {
            expect(code).toBe(null);
          } else {
            expect({ code, left: left() }).toEqual({ code: 143, left: [] });
            expect(stderr).toMatch(/Stopped: nothing was written\.\n$/);
          }
          await until(() => processesWith(temporary).length === 0);
          expect(left()).toEqual([]);
        },
      );
    }
  }

  it('ends when the start script is killed, which npm runs', async () => {
    const temporary = join(folder, 'start');
    mkdirSync(temporary);
    const start = ['scripts/start.mjs', 'explain'] as const;
    expect(await ended('chrome', 'SIGKILL', temporary, start)).toMatchObject({ code: null });
    await until(() => processesWith(temporary).length === 0);
    expect(readdirSync(temporary).filter((name) => !/^tsx-/.test(name))).toEqual([]);
    expect(existsSync(join(folder, 'out'))).toBe(false);
  });
});
