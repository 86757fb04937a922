import puppeteer, { type Browser, type Page } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { GpuCase } from './case';

/** Registers the cases of test/gpu/<suite>.gpu.ts as tests that run in headless Chrome. */
export function gpuSuite(suite: string, cases: readonly GpuCase[]): void {
  describe(suite, () => {
    let browser: Browser;
    let page: Page;
    const shared = inject('sharedFolder');
    const sharedUrl = shared ? `${inject('baseUrl')}/@fs${shared}/` : '';

    beforeAll(async () => {
      browser = await puppeteer.connect({
        browserWSEndpoint: inject('browserEndpoint'),
        protocolTimeout: 0,
      });
      page = await browser.newPage();
      await page.goto(`${inject('baseUrl')}/test/harness/page.html`);
      await page.waitForFunction('window.runCase !== undefined');
    });

    afterAll(async () => {
      await page?.close();
      await browser?.disconnect();
    });

    for (const one of cases) {
      it.skipIf(one.needsShared && !shared)(one.name, async ({ annotate }) => {
        const report = await page.evaluate(
          (name, suiteName, url) => window.runCase(suiteName, name, { sharedUrl: url }),
          one.name,
          suite,
          sharedUrl,
        );
        expect(report.message, report.message).toSatisfy(() => report.ok);
        if (report.message) await annotate(report.message);
      });
    }
  });
}
