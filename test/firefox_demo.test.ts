/** The demo page in headless Firefox; what it does in all is tested in Chrome (demo.test.ts). */
import type { Browser } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { launchFirefox } from '../cli/hosts/firefox';
import { findFirefox } from '../scripts/browser.mjs';

describe.skipIf(!findFirefox())('demo on Firefox', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchFirefox();
  });

  afterAll(async () => {
    await browser?.close();
  });

  it('explains the sample, and another class of it', async ({ skip }) => {
    const page = await browser.newPage();
    const problems: unknown[] = [];
    page.on('pageerror', (error) => problems.push(error));
    await page.goto(`${inject('baseUrl')}/demo/`, { timeout: 0 });
    if (!(await page.evaluate(async () => (await navigator.gpu?.requestAdapter()) !== null))) {
      skip('Firefox finds no adapter');
    }
    const statusMatches = (pattern: string) =>
      page.waitForFunction(
        (text) => new RegExp(text).test(document.querySelector('#status')?.textContent ?? ''),
        { timeout: 0 },
        pattern,
      );
    const picture = () =>
      page.$eval('canvas', (canvas) => (canvas as HTMLCanvasElement).toDataURL());
    await statusMatches('^Here it looked for');
    const first = await picture();
    await page.click('#classes button:nth-child(2)');
    await page.waitForSelector('#classes button:nth-child(2)[aria-pressed="true"]', { timeout: 0 });
    expect(await picture()).not.toBe(first);
    expect(problems).toEqual([]);
  });
});
