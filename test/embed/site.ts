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
  for (const type of ['load', 'progress', 'preview', 'explain', 'classchange', 'error']) {
    const note = ({ target, timeStamp }: Event): void => {
      if (!(target instanceof Element) || target.localName !== 'score-cam') return;
      window.happened.push({ id: target.id, type, at: timeStamp });
    };
    document.addEventListener(type, note, { capture: true });
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

/** A task of a thread, as Chrome's tracing has it: `tdur` are microseconds of the processor's time. */
interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

/**
 * Milliseconds of the longest task that a page's own thread worked at while something was done: what keeps the page from
 * answering. The processor's time, so that it is the same whoever else has the machine.
 */
export async function longestTask(page: Page, work: () => Promise<unknown>): Promise<number> {
  await page.tracing.start({ categories: ['toplevel'] });
  let trace: Uint8Array | undefined;
  try {
    await work();
  } finally {
    trace = await page.tracing.stop();
  }
  const { traceEvents } = JSON.parse(Buffer.from(trace ?? []).toString()) as {
    traceEvents: readonly TraceEvent[];
  };
  const threadOf = ({ pid, tid }: TraceEvent): string => `${pid}/${tid}`;
  const threads = new Set(
    traceEvents.filter(({ args }) => args.name === 'CrRendererMain').map(threadOf),
  );
  // One that was going on when the trace began has no time.
  const tasks = traceEvents
    .filter((event) => event.name.endsWith('RunTask') && threads.has(threadOf(event)))
    .flatMap(({ tdur }) => (tdur === undefined ? [] : [tdur / 1000]));
  if (tasks.length === 0) throw new Error('The trace has no task of a page.');
  return Math.max(...tasks);
}

/** A part of the shadow tree of the page's first element, as a selector of puppeteer's. */
export const inside = (selector: string, id = ''): string =>
  `score-cam${id && `#${id}`} >>> ${selector}`;
