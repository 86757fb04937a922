import puppeteer, { type Browser, type Page } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { GpuCase } from './case';

/** A guard against hanging, as in vitest.config.ts. */
const SLOW_TIMEOUT = 4 * 3600_000;

/** Registers the cases of test/gpu/<suite>.gpu.ts as tests that run in headless Chrome. */
export function gpuSuite(suite: string, cases: readonly GpuCase[]): void {
  describe(suite, () => {
    let browser: Browser;
    let page: Page;
    const slow = process.env.SCORE_CAM_SLOW === '1';
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
      const options = one.slow ? { timeout: SLOW_TIMEOUT } : {};
      it.skipIf(one.needsShared && !shared)(one.name, options, async ({ annotate, skip }) => {
        if (one.slow && !slow) skip(`${one.slow}: SCORE_CAM_SLOW=1 runs it`);
        const report = await page.evaluate(
          (name, suiteName, url) => window.runCase(suiteName, name, { sharedUrl: url }),
          one.name,
          suite,
          sharedUrl,
        );
        expect(report.message, report.message).toSatisfy(() => report.ok);
        if (report.message) await annotate(report.message);
        if (report.message && one.slow) console.log(`${one.name}: ${report.message}`);
      });
    }
  });
}
