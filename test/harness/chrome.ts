import puppeteer, { type Browser, type Page } from 'puppeteer';
import { inject } from 'vitest';
import type { Implementation } from './implementation';

/** The run's headless Chrome: a page for each case that runs at the same time, kept for the next one. */
export async function openChrome(): Promise<Implementation> {
  const browser = await puppeteer.connect({
    browserWSEndpoint: inject('browserEndpoint'),
    protocolTimeout: 0,
  });
  const idle = [await openPage(browser)];
  const features = await (idle[0] as Page).evaluate(async () => {
    const adapter = await navigator.gpu.requestAdapter();
    return [...(adapter?.features ?? [])];
  });
  return {
    features: new Set(features),
    async run(suite, name, context) {
      const page = idle.pop() ?? (await openPage(browser));
      const report = await page.evaluate(
        (...args) => window.runCase(...args),
        suite,
        name,
        context,
      );
      idle.push(page);
      return report;
    },
    async close() {
      await Promise.all(idle.map((page) => page.close()));
      await browser.disconnect();
    },
  };
}

async function openPage(browser: Browser): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(`${inject('baseUrl')}/test/harness/page.html`);
  await page.waitForFunction('window.runCase !== undefined');
  return page;
}
