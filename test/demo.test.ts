/** The demo page in headless Chrome, used as a person would. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { launchChrome } from '../cli/hosts/chrome';
import { narrowWeights } from './harness/narrow-vgg';
import { writeSafetensors } from './harness/weight-writers';

declare global {
  interface Window {
    /** Counted by the test: compute dispatches so far. */
    dispatches: number;
    /** Kept by the test: the device that was requested last. */
    lastDevice: GPUDevice;
  }
}

describe('the demo page', () => {
  let browser: Browser;

  beforeAll(async () => {
    // One of its own: in that of all tests its page is behind others', and a page that nobody sees draws no frames.
    browser = await launchChrome();
  });

  afterAll(async () => {
    await browser?.close();
  });

  const open = async (prepare: () => void): Promise<Page> => {
    const page = await browser.newPage();
    await page.evaluateOnNewDocument(prepare);
    await page.goto(`${inject('baseUrl')}/demo/`, { timeout: 0 });
    return page;
  };
  const statusMatches = (page: Page, pattern: string) =>
    page.waitForFunction(
      (text) => new RegExp(text).test(document.querySelector('#status')?.textContent ?? ''),
      { timeout: 0 },
      pattern,
    );
  const pixels = (page: Page): Promise<string> =>
    page.$eval('canvas', (canvas) => (canvas as HTMLCanvasElement).toDataURL());

  it('explains the sample as it opens, switches the class without another pass, cancels', async () => {
    const page = await open(() => {
      window.dispatches = 0;
      const { prototype } = GPUComputePassEncoder;
      const { dispatchWorkgroups } = prototype;
      prototype.dispatchWorkgroups = function (...size) {
        window.dispatches++;
        return dispatchWorkgroups.apply(this, size);
      };
    });
    try {
      const problems: unknown[] = [];
      page.on('pageerror', (error) => problems.push(error));
      await statusMatches(page, '^A first map for');
      expect(await page.$eval('#facts', (facts) => facts.textContent)).toContain('scenes-vgg16');
      expect(await page.$eval('canvas', (canvas) => canvas.getAttribute('aria-label'))).toMatch(
        /first heat map for \w+, from \d+ of \d+ passes/,
      );
      await statusMatches(page, '^Here it looked for');
      const passes = await page.evaluate(() => window.dispatches);
      expect(passes).toBeGreaterThan(100);
      const buttons = await page.$$('#classes button');
      expect(buttons).toHaveLength(5);
      expect(await page.$$eval('#classes [aria-pressed="true"]', (all) => all.length)).toBe(1);
      const first = await pixels(page);

      await buttons[1]?.click();
      await page.waitForSelector('#classes button:nth-child(2)[aria-pressed="true"]', {
        timeout: 0,
      });
      const second = await pixels(page);
      expect(second).not.toBe(first);
      // Weighing the maps, normalising and drawing take a few dispatches; a pass alone takes dozens.
      expect((await page.evaluate(() => window.dispatches)) - passes).toBeLessThan(10);

      // The image alone: the heat map's opacity is 0.
      await page.focus('#opacity');
      await page.keyboard.press('Home');
      await page.waitForFunction(
        (before) => document.querySelector('canvas')?.toDataURL() !== before,
        { timeout: 0 },
        second,
      );

      await page.click('#sample');
      await page.waitForSelector('#cancel', { visible: true, timeout: 0 });
      await page.click('#cancel');
      await statusMatches(page, '^Cancelled');
      expect(await page.$eval('#working', (element) => (element as HTMLElement).hidden)).toBe(true);
      expect(problems).toEqual([]);
    } finally {
      await page.close();
    }
  });

  it('explains by another method, and says what each takes', async () => {
    const page = await open(() => {});
    const note = () => page.$eval('#method-note', (element) => element.textContent);
    try {
      await statusMatches(page, '^Here it looked for');
      expect(await note()).toContain('up to 65 passes');
      await page.select('#method', 'faster-score-cam');
      expect(await note()).toContain('11 passes');
      await page.select('#method', 'grad-cam');
      await statusMatches(page, '^Here it looked for.*Passes: 1 forward, 1 backward\\.$');
      expect(await note()).toContain('1 pass, and 1 back');
      const first = await pixels(page);
      // With one, it is explained anew.
      await page.select('#method', 'layer-cam');
      await page.waitForFunction(
        (before) =>
          /^Here/.test(document.querySelector('#status')?.textContent ?? '') &&
          document.querySelector('canvas')?.toDataURL() !== before,
        { timeout: 0 },
        first,
      );
      await page.click('#classes button:nth-child(2)');
      await statusMatches(page, 'Passes: 1 backward\\.$');
    } finally {
      await page.close();
    }
  });

  it('loads another network from files of the disk, and keeps the one at work if that fails', async () => {
    const page = await open(() => {});
    const folder = mkdtempSync(join(tmpdir(), 'score-cam-demo-'));
    try {
      await statusMatches(page, '^Here it looked for');
      await page.click('#network summary');
      await page.select('#model', 'vgg16');
      await page.select('#dtype', 'int8');
      // A network of the same kind, but narrow: refused, and told why.
      const path = join(folder, 'narrow.safetensors');
      writeFileSync(path, await writeSafetensors(narrowWeights));
      const [chooser] = await Promise.all([
        page.waitForFileChooser(),
        page.click('label[for="weights"]'),
      ]);
      await chooser.accept([path]);
      await statusMatches(page, 'narrow\\.safetensors');
      expect(await page.$eval('#status', (status) => status.className)).toContain('error');
      expect(await page.$eval('#working', (element) => (element as HTMLElement).hidden)).toBe(true);
      expect(await page.$eval('#facts', (facts) => facts.textContent)).toContain('scenes-vgg16');

      await page.select('#model', 'scenes-vgg16');
      await page.click('#load');
      // The image that was shown, by the network that came.
      await statusMatches(page, '^Here it looked for');
    } finally {
      rmSync(folder, { recursive: true, force: true });
      await page.close();
    }
  });

  it('says what is wrong with a file that is no image', async () => {
    const page = await open(() => {});
    try {
      await statusMatches(page, '^Here it looked for');
      await page.evaluate(() => {
        const transfer = new DataTransfer();
        transfer.items.add(new File(['no image'], 'notes.txt'));
        window.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer }));
      });
      await statusMatches(page, 'notes\\.txt .*no image');
    } finally {
      await page.close();
    }
  });

  it('goes on without a reload after a first load that failed, and after a drawing that failed', async () => {
    const page = await browser.newPage();
    try {
      const problems: unknown[] = [];
      page.on('pageerror', (error) => problems.push(error));
      await page.evaluateOnNewDocument(() => {
        const { prototype } = GPUAdapter;
        const { requestDevice } = prototype;
        prototype.requestDevice = async function (...args) {
          const device = await requestDevice.apply(this, args);
          window.lastDevice = device;
          return device;
        };
      });
      await page.setRequestInterception(true);
      let isThere = false;
      page.on('request', (request) => {
        const isLost = !isThere && request.url().endsWith('/manifest.json');
        void (isLost ? request.respond({ status: 404 }) : request.continue());
      });
      await page.goto(`${inject('baseUrl')}/demo/`, { timeout: 0 });
      await statusMatches(page, '404');
      isThere = true;
      await page.select('#method', 'grad-cam');
      await statusMatches(page, '^Here it looked for');
      expect(await page.$eval('#facts', (facts) => facts.textContent)).toContain('scenes-vgg16');

      // Other colours are drawn by a device that is gone: by a new one, or that is said.
      await page.evaluate(() => window.lastDevice.destroy());
      const first = await pixels(page);
      await page.select('#colours', 'viridis');
      const outcome = await page.waitForFunction(
        (asked) => {
          const canvas = document.querySelector('canvas')?.toDataURL();
          const isError = document.querySelector('#status')?.classList.contains('error');
          return isError ? 'said' : canvas !== asked && 'drawn';
        },
        { timeout: 0 },
        first,
      );
      expect(['said', 'drawn']).toContain(await outcome.jsonValue());
      // What it says now is of the explanation before.
      await page.evaluate(() => document.querySelector('#status')?.replaceChildren());
      await page.click('#sample');
      await statusMatches(page, '^Here it looked for');
      const before = await pixels(page);
      await page.select('#colours', 'grey');
      await page.waitForFunction(
        (old) => document.querySelector('canvas')?.toDataURL() !== old,
        { timeout: 0 },
        before,
      );
      expect(problems).toEqual([]);
    } finally {
      await page.close();
    }
  });

  it('says so where there is no WebGPU', async () => {
    const page = await open(() => {
      Object.defineProperty(Navigator.prototype, 'gpu', { get: () => undefined });
    });
    try {
      await statusMatches(page, '^This page computes with WebGPU, which is not available here');
      expect(await page.$eval('#sample', (button) => (button as HTMLButtonElement).disabled)).toBe(
        true,
      );
    } finally {
      await page.close();
    }
  });
});
