import puppeteer, { type Browser, type Page } from 'puppeteer';
import { inject } from 'vitest';
import { launchFirefox } from '../../cli/hosts/firefox';
import { findFirefox } from '../../scripts/browser.mjs';
import type { Implementation } from './implementation';

/** The run's headless Chrome, which other tests use as well. */
export async function openChrome(): Promise<Implementation | string> {
  const browser = await puppeteer.connect({
    browserWSEndpoint: inject('browserEndpoint'),
    protocolTimeout: 0,
  });
  return casesIn(browser, () => browser.disconnect());
}

/** A headless Firefox of its own. */
export async function openFirefox(): Promise<Implementation | string> {
  if (!findFirefox()) return 'no Firefox is installed';
  const browser = await launchFirefox();
  return casesIn(browser, () => browser.close());
}

/** A page for each case that runs at the same time, kept for the next one. */
async function casesIn(
  browser: Browser,
  close: () => Promise<void>,
): Promise<Implementation | string> {
  const first = await openPage(browser);
  const found = await first.evaluate(() => window.whatThereIs());
  if (typeof found === 'string') {
    await close();
    return found;
  }
  const idle = [first];
  return {
    has: new Set(found),
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
      await close();
    },
  };
}

async function openPage(browser: Browser): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(`${inject('baseUrl')}/test/harness/page.html`);
  await page.waitForFunction('window.runCase !== undefined');
  return page;
}
