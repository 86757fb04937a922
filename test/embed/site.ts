import { join } from 'node:path';
import type { Browser, Page } from 'puppeteer';
import { projectRoot } from '../../cli/server';
import { serveFiles } from '../harness/serve-files';

/** What the strictest page allows: neither eval nor blob nor inline styles and scripts. */
export const STRICT = "default-src 'self'";

export const SAMPLE = '/weights/scenes-vgg16/sample.png';

declare global {
  interface Window {
    /** What happened to elements of the page, in order. */
    happened: { readonly id: string; readonly type: string; readonly at: number }[];
    /** Counted in the page's own thread. */
    devices: number;
    dispatches: number;
    /** Asked for so far, and of them those that are not there yet. */
    pipelines: number;
    compiling: number;
    /** Milliseconds of tasks that kept the page from answering. */
    longTasks: number[];
  }
}

/** A file host with the build, and pages that tests write. */
export interface Site {
  readonly origin: string;
  /** Opens a page of this text, under the strictest policy. */
  open(browser: Browser, html: string, prepare?: () => void): Promise<OpenPage>;
  /** Puts a file beside the pages, or all files of a folder at /NAME/. */
  put(name: string, text: string): string;
  mount(name: string, folder: string): void;
  close(): void;
}

export interface OpenPage {
  readonly page: Page;
  /** What went wrong there, and what its console says of errors. */
  readonly problems: string[];
  /** Rejects with what a script of the page's throws. */
  readonly ended: Promise<never>;
}

/** @param dist the built package's folder */
export async function openSite(dist: string): Promise<Site> {
  const pages = new Map<string, string>();
  const places: Record<string, string | Map<string, string>> = {
    dist,
    weights: join(projectRoot, 'weights'),
    demo: join(projectRoot, 'demo'),
    page: pages,
  };
  const { origin, close } = await serveFiles(places, () => STRICT);
  const put = (name: string, text: string): string => {
    pages.set(name, text);
    return `/page/${name}`;
  };
  return {
    origin,
    put,
    mount(name, folder) {
      places[name] = folder;
    },
    close,
    async open(browser, html, prepare = () => {}) {
      const path = html.startsWith('/') ? html : put(`${pages.size}.html`, html);
      const page = await browser.newPage();
      const problems: string[] = [];
      const ended = new Promise<never>((_, reject) => page.on('pageerror', reject));
      // Not every test waits for it.
      ended.catch((error) => problems.push(String(error)));
      page.on('console', (message) => {
        if (message.type() === 'error') problems.push(message.text());
      });
      await page.evaluateOnNewDocument(watch);
      await page.evaluateOnNewDocument(prepare);
      await page.goto(`${origin}${path}`);
      return { page, problems, ended };
    },
  };
}

/** Runs in the page, before all else. */
function watch(): void {
  window.happened = [];
  window.devices = 0;
  window.dispatches = 0;
  window.pipelines = 0;
  window.compiling = 0;
  window.longTasks = [];
  for (const type of ['load', 'progress', 'preview', 'explain', 'classchange', 'error']) {
    const note = ({ target, timeStamp }: Event): void => {
      if (!(target instanceof Element) || target.localName !== 'score-cam') return;
      window.happened.push({ id: target.id, type, at: timeStamp });
    };
    document.addEventListener(type, note, { capture: true });
  }
  if (PerformanceObserver.supportedEntryTypes.includes('longtask')) {
    const hear = (list: PerformanceObserverEntryList): void => {
      window.longTasks.push(...list.getEntries().map(({ duration }) => duration));
    };
    new PerformanceObserver(hear).observe({ type: 'longtask', buffered: true });
  }
  if (!('gpu' in navigator)) return;
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = function (...args) {
    window.devices++;
    return requestDevice.apply(this, args);
  };
  const { createComputePipelineAsync } = GPUDevice.prototype;
  GPUDevice.prototype.createComputePipelineAsync = function (...args) {
    window.pipelines++;
    window.compiling++;
    return createComputePipelineAsync.apply(this, args).finally(() => {
      window.compiling--;
    });
  };
  const { dispatchWorkgroups } = GPUComputePassEncoder.prototype;
  GPUComputePassEncoder.prototype.dispatchWorkgroups = function (...size) {
    window.dispatches++;
    return dispatchWorkgroups.apply(this, size);
  };
}

/** A whole page of one's own; `head` has its scripts. */
export function htmlOf(head: string, body: string, lang = 'en'): string {
  return `<!doctype html>
<html lang="${lang}">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <meta name="color-scheme" content="light dark">
    <title>A page</title>
    <link rel="icon" href="${SAMPLE}">
    ${head}
  </head>
  <body><main><h1>A page</h1>${body}</main></body>
</html>`;
}

/** Waits until an element has told of this, so many times. One that tells of an error is not waited for. */
export async function hears(page: Page, type: string, id = '', times = 1): Promise<void> {
  const end = await page.waitForFunction(
    (wanted, of, count) => {
      const own = window.happened.filter((event) => event.id === of);
      if (own.filter((event) => event.type === wanted).length >= count) return 'heard';
      const shadow = document.querySelector(of ? `#${of}` : 'score-cam')?.shadowRoot;
      const isOver = own.some((event) => event.type === 'error');
      return isOver && (shadow?.querySelector('[role=status]')?.textContent ?? 'an error');
    },
    { timeout: 0, polling: 50 },
    type,
    id,
    times,
  );
  const said = await end.jsonValue();
  if (said !== 'heard') throw new Error(`Instead of "${type}" the element says: ${said}`);
}

/** A part of the shadow tree of the page's first element, as a selector of puppeteer's. */
export const inside = (selector: string, id = ''): string =>
  `score-cam${id && `#${id}`} >>> ${selector}`;
