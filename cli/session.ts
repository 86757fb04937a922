import type { Browser, Page } from 'puppeteer';
import { ScoreCamError, type ScoreCamErrorCode } from '../src/errors';
import type { Step } from '../src/explain/progress';
import { CliError } from './errors';
import type { Outcome, PageApi } from './page';
import { openServedChrome, type ServedChrome } from './served-chrome';
import { readable, type ServeOptions } from './server';

export interface SessionOptions extends ServeOptions {
  /** Folders the page may read besides the project's own. */
  readonly folders?: readonly string[];
  readonly signal: AbortSignal;
  onStep(step: Step): void;
}

type Arguments<Name extends keyof PageApi> = Parameters<PageApi[Name]>;
type Value<Name extends keyof PageApi> =
  Awaited<ReturnType<PageApi[Name]>> extends Outcome<infer T> ? T : never;

/** A local server, a headless Chrome and the page cli/page.html in it, ready for calls. */
export class Session {
  readonly url: string;
  /** Such as `Chrome/140.0.7339.80`. */
  readonly browserVersion: string;
  private readonly page: Page;
  /** Rejects when the page or the browser dies, or the command is stopped. */
  private readonly end: Promise<never>;
  private readonly chrome: ServedChrome;

  private constructor(
    chrome: ServedChrome,
    browserVersion: string,
    page: Page,
    end: Promise<never>,
  ) {
    this.url = chrome.url;
    this.browserVersion = browserVersion;
    this.page = page;
    this.end = end;
    this.chrome = chrome;
  }

  static async open(options: SessionOptions): Promise<Session> {
    const { signal, onStep, ...serve } = options;
    const chrome = await openServedChrome(serve);
    try {
      const { url, browser } = chrome;
      const page = await browser.newPage();
      const end = endOf(browser, page, signal);
      await page.exposeFunction('onStep', onStep);
      await Promise.race([end, page.goto(`${url}/cli/page.html`, { timeout: 0 })]);
      await Promise.race([
        end,
        page.waitForFunction('window.scoreCam !== undefined', { timeout: 0 }),
      ]);
      return new Session(chrome, await browser.version(), page, end);
    } catch (error) {
      await chrome.close();
      throw error;
    }
  }

  /** Calls one of the page's functions; its errors come through with their code. */
  async call<Name extends keyof PageApi>(
    name: Name,
    ...args: Arguments<Name>
  ): Promise<Value<Name>> {
    const call = this.page.evaluate(
      (called: string, values: unknown[]) =>
        (window.scoreCam as unknown as Record<string, (...v: unknown[]) => Promise<unknown>>)[
          called
        ]?.(...values),
      name,
      args,
    ) as Promise<Outcome<Value<Name>>>;
    const outcome = await Promise.race([call, this.end]);
    if (outcome.ok) return outcome.value;
    throw errorOf(outcome.code, readable(outcome.message, this.url), this.browserVersion);
  }

  async close(): Promise<void> {
    await this.chrome.close();
  }
}

function endOf(browser: Browser, page: Page, signal: AbortSignal): Promise<never> {
  const end = new Promise<never>((_, reject) => {
    const stop = (): void => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop);
    page.on('pageerror', (error) => reject(error));
    page.on('response', (response) => {
      // A module that does not load raises no error in the page.
      if (response.status() < 400 || response.request().resourceType() !== 'script') return;
      reject(new Error(`${response.url()} answered ${response.status()}`));
    });
    page.on('error', () => reject(new CliError('The page in Chrome crashed: too little memory?')));
    browser.on('disconnected', () => reject(new CliError('Chrome ended unexpectedly.')));
  });
  // Whoever waits for it handles it; nobody may be waiting.
  end.catch(() => {});
  return end;
}

function errorOf(code: string, message: string, browserVersion: string): Error {
  if (code === 'defect') return new Error(message);
  if (code === 'no-webgpu' || code === 'no-adapter') {
    return new CliError(
      `${browserVersion} offers no WebGPU adapter, not even its software one: set CHROME_PATH to a ` +
        'current Chrome or Chromium.',
    );
  }
  return new ScoreCamError(code as ScoreCamErrorCode, message);
}
