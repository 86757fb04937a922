/** The GPU process is killed under a page that explains: the page goes on, on a new device. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { launchChrome } from '../cli/hosts/chrome';
import { PHASES } from './harness/losses';

/** Process ids of a browser's GPU process, which is its own child or that of a zygote. */
function gpuProcessesOf(browser: Browser): number[] {
  const root = browser.process()?.pid;
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const [, parent = ''] =
          /\) \S (\d+)/.exec(readFileSync(`/proc/${name}/stat`, 'utf8')) ?? [];
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8');
        return [{ pid: Number(name), parent: Number(parent), command }];
      } catch {
        return []; // It has ended in the meantime.
      }
    });
  const isOurs = (pid: number | undefined): boolean =>
    pid !== undefined && (pid === root || isOurs(all.find((one) => one.pid === pid)?.parent));
  return all
    .filter(({ pid, command }) => command.includes('--type=gpu-process') && isOurs(pid))
    .map(({ pid }) => pid);
}

/** Those that `npm test` goes through; `npm run test:everywhere` goes through all. */
const USUAL = ['compiling', 'a batch of masked passes'];

describe.skipIf(process.platform !== 'linux')('a page whose GPU process is killed', () => {
  const phases = PHASES.filter(({ name }) => inject('everywhere') || USUAL.includes(name));
  let browser: Browser;
  let page: Page;
  let killer: Server;
  let kills = 0;

  beforeAll(async () => {
    // Of its own: the run's other tests go on in theirs.
    browser = await launchChrome({
      // After some crashes a browser takes no GPU process any more, and a site none of its devices: here they are wanted.
      args: ['--disable-gpu-process-crash-limit', '--disable-domain-blocking-for-3d-apis'],
    });
    killer = createServer(async (_, response) => {
      const running = gpuProcessesOf(browser);
      for (const pid of running) process.kill(pid, 'SIGKILL');
      kills += running.length;
      while (running.some((pid) => existsSync(`/proc/${pid}/exe`))) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      response.setHeader('Access-Control-Allow-Origin', '*');
      response.end(running.length === 1 ? 'killed' : `${running.length} GPU processes`);
    }).listen(0, '127.0.0.1');
    page = await browser.newPage();
    await page.goto(`${inject('baseUrl')}/test/harness/page.html`);
    // As text: what stands here as code is rewritten by the test runner, import() too.
    await page.evaluate(`import('${inject('baseUrl')}/test/harness/losses-page.ts')`);
  });

  afterAll(async () => {
    killer?.close();
    await browser?.close();
  });

  it.each(phases)('in $name: explains the same, bit for bit', async ({ name }) => {
    const before = kills;
    const address = `http://127.0.0.1:${(killer.address() as AddressInfo).port}/`;
    const problem = await page.evaluate((phase, url) => window.killedIn(phase, url), name, address);
    expect(problem).toBe('');
    expect(kills).toBe(before + 1);
  });
});
