import type { Browser } from 'puppeteer';
import { CliError } from '../errors';
import type { Launch } from './host';

/** A page of a browser. @param start launches it so that signals are left to whoever closes it */
export function browserHost(title: string, start: () => Promise<Browser>): Launch {
  return async (onStep) => {
    const browser = await start();
    try {
      const page = await browser.newPage();
      await page.exposeFunction('onStep', onStep);
      const end = new Promise<never>((_, reject) => {
        page.on('pageerror', (error) => reject(error));
        page.on('response', (response) => {
          // A module that does not load raises no error in the page.
          if (response.status() < 400 || response.request().resourceType() !== 'script') return;
          reject(new Error(`${response.url()} answered ${response.status()}`));
        });
        page.on('error', () =>
          reject(new CliError(`The page in ${title} crashed: too little memory?`)),
        );
        browser.on('disconnected', () => reject(new CliError(`${title} ended unexpectedly.`)));
      });
      return {
        version: await browser.version(),
        end,
        async open(url) {
          await page.goto(`${url}/cli/page.html`, { timeout: 0 });
          await page.waitForFunction('window.scoreCam !== undefined', { timeout: 0 });
        },
        call: (name, args) =>
          page.evaluate(
            (called, values) =>
              (window.scoreCam as Record<string, (...args: readonly unknown[]) => unknown>)[
                called
              ]?.(...values),
            name,
            args,
          ) as ReturnType<Awaited<ReturnType<Launch>>['call']>,
        close: () => browser.close(),
      };
    } catch (error) {
      await browser.close();
      throw error;
    }
  };
}
