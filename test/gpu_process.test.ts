/** The GPU process is killed under a page that explains: the page goes on, on a new device. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Browser, Page } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { launchChrome } from '../cli/hosts/chrome';

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

describe.skipIf(process.platform !== 'linux')('a page whose GPU process is killed', () => {
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    // Of its own: the run's other tests go on in theirs.
    browser = await launchChrome();
    page = await browser.newPage();
    const base = inject('baseUrl');
    await page.goto(`${base}/test/harness/page.html`);
    // As text: what stands here as code is rewritten by the test runner, import() too.
    await page.evaluate(`(async () => {
      const { createExplainer } = await import('${base}/src/index.ts');
      const model = '${base}/weights/scenes-vgg16/manifest.json';
      const image = '${base}/weights/scenes-vgg16/sample.png';
      globalThis.told = [];
      globalThis.passes = 0;
      const onDeviceLost = (reason) => told.push(reason);
      const explainer = await createExplainer({ model, onDeviceLost });
      globalThis.explain = async (channels) => {
        const onProgress = ({ done }) => { passes = done; };
        const { map, scores } = await explainer.explain(image, { channels, onProgress, onPreview: () => {} });
        return JSON.stringify([...map.data.slice(0, 5000), ...scores]);
      };
    })()`);
  });

  afterAll(() => browser?.close());

  it('explains the same, bit for bit', async () => {
    const channels = JSON.stringify(Array.from({ length: 24 }, (_, k) => k));
    const expected = await page.evaluate(`explain(${channels})`);
    await page.evaluate('passes = 0');
    const running = page.evaluate(`explain(${channels})`);
    await page.waitForFunction('passes > 4', { polling: 5 });
    const gpu = gpuProcessesOf(browser);
    expect(gpu).toHaveLength(1);
    process.kill(gpu[0] as number, 'SIGKILL');
    expect(await running).toBe(expected);
    expect(await page.evaluate('told.length')).toBe(1);
    expect(gpuProcessesOf(browser)).not.toContain(gpu[0]);
  });
});
