/** `<score-cam>` in headless Firefox; what it does in all is tested in Chrome (embed.test.ts). */
import type { Browser } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchFirefox } from '../cli/hosts/firefox';
import { findFirefox } from '../scripts/browser.mjs';
import { hears, inside, openSite, type Site } from './embed/site';
import { builtPackage } from './harness/built-package';

describe.skipIf(!findFirefox())('demo on Firefox: the element', () => {
  let site: Site;
  let browser: Browser;

  beforeAll(async () => {
    site = await openSite(await builtPackage());
    browser = await launchFirefox();
  });

  afterAll(async () => {
    await browser?.close();
    site?.close();
  });

  it('explains the sample by one tag, and another class of it', async ({ skip }) => {
    const { page, problems } = await site.open(browser, '/demo/embed.html');
    if (!(await page.evaluate(async () => (await navigator.gpu?.requestAdapter()) !== null))) {
      skip('Firefox finds no adapter');
    }
    await hears(page, 'explain');
    await page.focus(inside('input[type=radio]:checked'));
    await page.keyboard.press('ArrowDown');
    await hears(page, 'classchange');
    expect(await page.$eval(inside('[role=status]'), (status) => status.textContent)).toMatch(
      /: spiral \(/,
    );
    expect(problems).toEqual([]);
  });
});
