/** The built site in headless Chrome: under a path of its own, from a server that knows nothing, under a strict policy. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import axe from 'axe-core';
import type { Browser, HTTPRequest, Page } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChrome } from '../cli/hosts/chrome';
import { LANGUAGES } from '../demo/language';
import { FOR_PHOTOGRAPHS, networkNamed } from '../demo/networks';
import { VIEW_NAMES } from '../demo/views';
import { METHODS, OPTIONS } from '../src/index';
import { DOCUMENTATION_PAGES } from '../vite/documentation';
import { buildSite, isOccupied } from '../vite/site';
import { type StaticServer, serveFolder } from './harness/static-server';
import { pngOf } from './harness/write-png';

declare global {
  interface Window {
    /** Kept by a test: what happened to frames of the camera, in order. */
    cameraSteps: string[];
    axe: typeof axe;
  }
}

/** Bytes after gzip that the Explain view may take, weights and images apart. */
const EXPLAIN_BUDGET = 120_000;

describe('the built site', () => {
  const temp = mkdtempSync(join(tmpdir(), 'score-cam-site-'));
  const folder = join(temp, 'site');
  /** A picture of one colour, beside the site. */
  const blank = join(temp, 'blank.png');
  let server: StaticServer;
  let browser: Browser;

  beforeAll(async () => {
    [browser] = await Promise.all([
      launchChrome({
        args: ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
      }),
      buildSite(folder),
    ]);
    const data = new Uint8ClampedArray(4 * 32 * 32).fill(255);
    const png = await pngOf({ width: 32, height: 32, data });
    writeFileSync(blank, new Uint8Array(await png.arrayBuffer()));
    server = await serveFolder(folder, '/a/path/of/its/own/', {
      'content-security-policy': "default-src 'self'",
    });
  });

  afterAll(async () => {
    await browser?.close();
    server?.close();
    rmSync(temp, { recursive: true, force: true });
  });

  /** What a page complained of: errors, and everything that the policy refused. */
  const problems: string[] = [];
  const open = async (hash = '', prepare?: (page: Page) => Promise<void>): Promise<Page> => {
    const page = await browser.newPage();
    await page.setViewport({ width: 1280, height: 900 });
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
    await prepare?.(page);
    await page.goto(`${server.url}${hash}`, { timeout: 0 });
    return page;
  };
  const status = (page: Page, pattern: string) =>
    page.waitForFunction(
      (text) => new RegExp(text).test(document.querySelector('#status')?.textContent ?? ''),
      { timeout: 0 },
      pattern,
    );
  const picture = (page: Page): Promise<string> =>
    page.$eval('#canvas', (canvas) => (canvas as HTMLCanvasElement).toDataURL());
  const value = (page: Page, selector: string): Promise<string> =>
    page.$eval(selector, (control) => (control as HTMLInputElement).value);
  const hash = (page: Page): Promise<string> => page.evaluate(() => location.hash);

  it('opens with the sample explained, in 120 kB beside the model', async () => {
    const requests: string[] = [];
    const page = await open('', async (opened) => {
      opened.on('request', (request) => requests.push(request.url()));
    });
    try {
      await status(page, '^Here it looked for: (spiral|arrow)');
      const paths = requests.map((url) => {
        expect(url.startsWith(server.url), url).toBe(true);
        return new URL(url).pathname.slice(new URL(server.url).pathname.length) || 'index.html';
      });
      const code = [...new Set(paths)].filter((path) => !path.startsWith('weights/'));
      const bytes = code.reduce(
        (sum, path) => sum + gzipSync(readFileSync(join(folder, path))).length,
        0,
      );
      expect(code.length).toBeGreaterThan(5);
      expect(bytes).toBeGreaterThan(40_000);
      expect(bytes).toBeLessThanOrEqual(EXPLAIN_BUDGET);
      expect(problems).toEqual([]);
    } finally {
      await page.close();
    }
  });

  it('can be used before the network has loaded', async () => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const page = await open('', async (opened) => {
      await opened.setRequestInterception(true);
      opened.on('request', (request: HTTPRequest) => {
        const isModel = request.url().endsWith('model.safetensors');
        void (isModel ? held.then(() => request.continue()) : request.continue());
      });
    });
    try {
      await page.waitForFunction(
        () => document.querySelector('#canvas')?.getAttribute('aria-label')?.includes('not yet'),
        { timeout: 0 },
      );
      const before = await picture(page);
      await page.select('#method', 'grad-cam');
      await page.select('#colours', 'viridis');
      expect(await hash(page)).toMatch(/method=grad-cam.*colours=viridis/);
      await (await page.$('input#file'))?.uploadFile(blank);
      await page.waitForFunction(
        (old) => (document.querySelector('#canvas') as HTMLCanvasElement).toDataURL() !== old,
        { timeout: 0 },
        before,
      );
      expect(await page.$eval('#status', (element) => element.textContent)).toMatch(/^Loading/);
      release();
      await status(page, '^Here it looked for.*1 backward|is flat');
    } finally {
      release();
      await page.close();
    }
  });

  it('takes a file that is dropped, and one that is pasted, and says when the network has no answer', async () => {
    const page = await open('#method=grad-cam', async (opened) => {
      await browser
        .defaultBrowserContext()
        .overridePermissions(new URL(server.url).origin, [
          'clipboard-read',
          'clipboard-sanitized-write',
        ]);
      await opened.bringToFront();
    });
    const requests: string[] = [];
    try {
      await status(page, '^Here it looked for');
      expect(await page.$eval('#note', (note) => (note as HTMLElement).hidden)).toBe(true);
      page.on('request', (request) => requests.push(request.url()));
      const first = await picture(page);
      const client = await page.createCDPSession();
      for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
        await client.send('Input.dispatchDragEvent', {
          type,
          x: 400,
          y: 500,
          data: { items: [], files: [blank], dragOperationsMask: 1 },
        });
      }
      await page.waitForSelector('#note:not([hidden])', { timeout: 0 });
      await status(page, '^Here it looked for|is flat');
      expect(await picture(page)).not.toBe(first);
      // One colour: as much for each of the twelve.
      const note = await page.$eval('#note', (element) => element.textContent ?? '');
      expect(note).toMatch(/no answer: its likeliest class gets \d+\.\d %, and all 12/);
      const offered = networkNamed(FOR_PHOTOGRAPHS);
      expect(note).toContain(
        `Load ${FOR_PHOTOGRAPHS} (${((offered?.bytes ?? 0) / 1e6).toFixed(1)} MB)`,
      );
      // Nothing is downloaded before somebody says so.
      expect(requests.filter((url) => !url.startsWith(server.url))).toEqual([]);

      const dropped = await picture(page);
      await page.evaluate(async (url) => {
        const blob = await (await fetch(url)).blob();
        await navigator.clipboard.write([new ClipboardItem({ [blob.type]: blob })]);
      }, `${server.url}weights/scenes-vgg16/sample.png`);
      await page.keyboard.down('Control');
      await page.keyboard.press('v');
      await page.keyboard.up('Control');
      await page.waitForFunction(
        (old) =>
          (document.querySelector('#canvas') as HTMLCanvasElement).toDataURL() !== old &&
          /spiral|arrow/.test(document.querySelector('#status')?.textContent ?? ''),
        { timeout: 0 },
        dropped,
      );
      // Somebody's own image, to a network that knows drawings.
      expect(await page.$eval('#note', (element) => element.textContent)).toContain(
        'only ever seen drawn',
      );
    } finally {
      await page.close();
    }
  });

  it('explains what a camera sees frame by frame, one at a time, until the page is hidden', async () => {
    const page = await open('#method=grad-cam', async (opened) => {
      await opened.evaluateOnNewDocument(() => {
        window.cameraSteps = [];
        const { createImageBitmap: make } = window;
        window.createImageBitmap = ((source: ImageBitmapSource) => {
          if (source instanceof HTMLVideoElement) window.cameraSteps.push('taken');
          return make(source);
        }) as typeof make;
        const { drawImage } = CanvasRenderingContext2D.prototype;
        CanvasRenderingContext2D.prototype.drawImage = function (...args: never[]) {
          // The map over the image is the end of a frame.
          if (this.canvas.id === 'canvas' && this.globalAlpha < 1) window.cameraSteps.push('shown');
          return (drawImage as (...all: never[]) => void).apply(this, args);
        };
      });
    });
    try {
      await status(page, '^Here it looked for');
      await page.evaluate(() => {
        window.cameraSteps = [];
      });
      const started = performance.now();
      await page.click('#camera');
      await status(page, '^The camera is explained frame by frame, by Grad-CAM');
      const shown = (count: number) =>
        page.waitForFunction(
          (least) => window.cameraSteps.filter((what) => what === 'shown').length >= least,
          { timeout: 0 },
          count,
        );
      await shown(1);
      const first = await picture(page);
      await shown(6);
      const seconds = (performance.now() - started) / 1000;
      // Chrome's device shows a moving picture.
      expect(await picture(page)).not.toBe(first);
      const text = await page.$eval('#rate', (rate) => rate.textContent ?? '');
      expect(text).toMatch(/^\d+(\.\d)? images a second, Grad-CAM$/);
      // Counted by the page from its first frame on; here from the click on, which is no later.
      const rate = Number.parseFloat(text);
      expect(rate).toBeGreaterThan(0);
      expect(rate).toBeGreaterThan((0.5 * 5) / seconds);
      console.log(`The camera: ${text}; 6 frames in ${seconds.toFixed(1)} s.`);

      const other = await browser.newPage();
      await other.bringToFront();
      await status(page, '^The camera is off: this page was hidden');
      await other.close();
      const events = await page.evaluate(() => window.cameraSteps);
      expect(events.filter((_, at) => at % 2 === 0).every((what) => what === 'taken')).toBe(true);
      expect(events.filter((_, at) => at % 2 === 1).every((what) => what === 'shown')).toBe(true);
      await page.bringToFront();
      expect(await page.$eval('#camera', (button) => button.textContent)).toBe('Live camera');
      const { length } = events;
      await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 300)));
      expect(await page.evaluate(() => window.cameraSteps.length)).toBeLessThanOrEqual(length + 1);
    } finally {
      await page.close();
    }
  });

  it('keeps its settings in the address, and restores them', async () => {
    const page = await open('#method=grad-cam');
    let address: string;
    let drawn: string;
    try {
      await status(page, '^Here it looked for: (\\w+)');
      await page.select('#method', 'layer-cam');
      await status(page, '^Here it looked for');
      const second = await page.$eval('#classes button:nth-child(2)', (button) => {
        (button as HTMLButtonElement).click();
        return (button as HTMLButtonElement).dataset.index;
      });
      await page.waitForSelector('#classes button:nth-child(2)[aria-pressed="true"]');
      await page.select('#colours', 'viridis');
      await page.focus('#opacity');
      await page.keyboard.press('ArrowRight');
      await page.click('.chip input[value="grad-cam"]');
      await page.waitForFunction(
        () => /took/.test(document.querySelector('#beside figcaption')?.textContent ?? ''),
        { timeout: 0 },
      );
      const settings = Object.fromEntries(new URLSearchParams((await hash(page)).slice(1)));
      expect(settings).toEqual({
        method: 'layer-cam',
        class: second,
        colours: 'viridis',
        opacity: '0.55',
        beside: 'grad-cam',
      });
      address = page.url();
      drawn = await picture(page);
    } finally {
      await page.close();
    }
    const restored = await open(`${new URL(address).hash}&lang=ko`);
    try {
      await status(restored, '^여기를 보고');
      await restored.waitForFunction(
        () => /걸림/.test(document.querySelector('#beside figcaption')?.textContent ?? ''),
        { timeout: 0 },
      );
      expect(await value(restored, '#method')).toBe('layer-cam');
      expect(await value(restored, '#colours')).toBe('viridis');
      expect(await value(restored, '#opacity')).toBe('0.55');
      expect(await restored.$$eval('#classes [aria-pressed="true"]', (all) => all.length)).toBe(1);
      expect(await picture(restored)).toBe(drawn);
      // Another view's link, and the way back, keep them.
      const language = await restored.$eval(
        '.languages a[lang="en"]',
        (link) => (link as HTMLAnchorElement).hash,
      );
      expect(language).toContain('method=layer-cam');
      expect(language).toContain('lang=en');
    } finally {
      await restored.close();
    }
  });

  it('downloads no large network because of a link, but asks', async () => {
    const requests: string[] = [];
    const page = await open('#network=vgg16&method=grad-cam', async (opened) => {
      opened.on('request', (request) => requests.push(request.url()));
    });
    try {
      await status(page, '^Here it looked for');
      await page.waitForSelector('#note', { visible: true, timeout: 0 });
      expect(await page.$eval('#note', (note) => note.textContent)).toContain(
        'the network vgg16, which is a download of 553 MB',
      );
      expect(await page.$eval('#facts', (facts) => facts.textContent)).toContain('scenes-vgg16');
      expect(
        requests.filter(
          (url) =>
            !url.startsWith(server.url) || (url.includes('vgg16/') && !url.includes('scenes')),
        ),
      ).toEqual([]);
    } finally {
      await page.close();
    }
  });

  it('is used by the keyboard alone', async () => {
    const page = await open('#method=grad-cam');
    const focused = () =>
      page.evaluate(() => {
        const { activeElement: element } = document;
        return element?.id || element?.className || element?.textContent || '';
      });
    try {
      await status(page, '^Here it looked for');
      await page.keyboard.press('Tab');
      expect(await focused()).toBe('skip');
      await page.keyboard.press('Enter');
      expect(await focused()).toBe('view');
      const way: string[] = [];
      const tabTo = async (wanted: string): Promise<void> => {
        for (let tries = 0; tries < 40; tries++) {
          await page.keyboard.press('Tab');
          const here = await focused();
          way.push(here);
          if (here === wanted) return;
        }
        throw new Error(`${wanted} is not reached: ${way.join(', ')}`);
      };
      await tabTo('opacity');
      const half = await picture(page);
      await page.keyboard.press('End');
      expect(await value(page, '#opacity')).toBe('1');
      expect(await picture(page)).not.toBe(half);
      await tabTo('colours');
      await tabTo('file');
      // What has the focus is seen: the label in the place of an input.
      const outline = await page.$eval(
        'label[for="file"]',
        (label) => getComputedStyle(label).outlineStyle,
      );
      expect(outline).toBe('solid');
      await tabTo('camera');
      await tabTo('sample');
      const pressed = () =>
        page.$eval(
          '#classes [aria-pressed="true"]',
          (button) => (button as HTMLElement).dataset.index,
        );
      const likeliest = await pressed();
      await page.keyboard.press('Tab');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Space');
      await page.waitForFunction(
        (before) =>
          (document.querySelector('#classes [aria-pressed="true"]') as HTMLElement).dataset
            .index !== before,
        { timeout: 0 },
        likeliest,
      );
      await tabTo('method');
      await page.keyboard.type('Layer');
      await page.waitForFunction(
        () => (document.querySelector('#method') as HTMLSelectElement).value === 'layer-cam',
      );
      await status(page, '^Here it looked for');
      await tabTo('layer');
      // Whatever is chosen, Tab goes on to the end of the page and round.
      await tabTo('skip');
    } finally {
      await page.close();
    }
  });

  it.skipIf(VIEW_NAMES.length < 2)(
    'goes from view to view by links, with the focus on what is new, and back in another language',
    async () => {
      const page = await open('#method=grad-cam');
      const heading = () =>
        page.evaluate(() => {
          const { activeElement: element } = document;
          return element?.tagName === 'H1' ? element.textContent : undefined;
        });
      try {
        await status(page, '^Here it looked for');
        const first = await page.$eval('h1', (element) => element.textContent);
        const title = await page.title();
        expect(await heading()).toBeUndefined();
        await page.click('.site li:nth-child(2) a');
        await page.waitForFunction(
          (before) => document.activeElement?.tagName === 'H1' && document.title !== before,
          { timeout: 0 },
          title,
        );
        expect(await heading()).not.toBe(first);
        expect(await hash(page)).toBe(`#method=grad-cam&view=${VIEW_NAMES[1]}`);
        await page.click('.languages a[lang="ko"]');
        await page.waitForFunction(
          () =>
            document.documentElement.lang === 'ko' &&
            document.activeElement?.getAttribute('lang') === 'ko',
          { timeout: 0 },
        );
        await page.goBack();
        await page.goBack();
        await status(page, '^Here it looked for');
        expect(await value(page, '#method')).toBe('grad-cam');
        expect(await heading()).toBe(first);
      } finally {
        await page.close();
      }
    },
  );

  it('documents every export, method and option, and links to itself', async () => {
    const page = await open('', undefined);
    try {
      for (const [language, file] of Object.entries(DOCUMENTATION_PAGES)) {
        await page.goto(`${server.url}${file}`);
        expect(await page.evaluate(() => document.documentElement.lang)).toBe(language);
        const text = await page.evaluate(() => document.body.innerText);
        for (const { name, title } of Object.values(METHODS)) {
          expect(text).toContain(name);
          expect(text).toContain(title);
        }
        for (const option of Object.keys(OPTIONS)) expect(text).toContain(option);
        // What its manifest says of the element.
        for (const word of ['target-class', 'classchange', '--score-cam-accent']) {
          expect(text).toContain(word);
        }
        const ids = await page.$$eval('[id]', (all) => all.map(({ id }) => id));
        expect(new Set(ids).size).toBe(ids.length);
        for (const name of [
          'createExplainer',
          'Explainer',
          'Explanation',
          'ExplainOptions',
          'METRICS',
          'element',
        ]) {
          expect(ids).toContain(name);
        }
        const targets = await page.$$eval('a[href^="#"]', (all) =>
          all.map((link) => decodeURIComponent((link as HTMLAnchorElement).hash.slice(1))),
        );
        expect(targets.filter((target) => !ids.includes(target))).toEqual([]);
      }
    } finally {
      await page.close();
    }
  });

  it('has nothing that axe-core objects to, in any view, language and colour scheme', async () => {
    const languages = Object.keys(LANGUAGES) as (keyof typeof LANGUAGES)[];
    const views = languages.flatMap((language) =>
      VIEW_NAMES.map((view) => ({
        view,
        language,
        hash: `view=${view}&method=grad-cam&lang=${language}`,
      })),
    );
    const check = async (page: Page, what: string): Promise<void> => {
      await page.evaluate(axe.source);
      for (const scheme of ['light', 'dark']) {
        await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
        // The other scheme changes nothing but colours.
        const only = scheme === 'dark' ? { runOnly: ['color-contrast'] } : {};
        const found = await page.evaluate(async (options) => {
          const { violations } = await window.axe.run(document, options);
          return violations.map(
            ({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`,
          );
        }, only);
        expect(found, `${what}, ${scheme}`).toEqual([]);
      }
    };
    // One page: the network is loaded once.
    const page = await open(`#${views[0]?.hash}`);
    try {
      for (const { view, language, hash } of views) {
        await page.evaluate((to) => {
          location.hash = to;
        }, hash);
        await page.waitForFunction(
          (wanted) =>
            document.documentElement.lang === wanted &&
            document.querySelector('main h1') &&
            !document.querySelector('.loading'),
          { timeout: 0 },
          language,
        );
        // With all that it shows in the end.
        if (view === 'explain') await status(page, '^Here|^여기를');
        await check(page, `${view}, ${language}`);
      }
      for (const language of languages) {
        await page.goto(`${server.url}${DOCUMENTATION_PAGES[language]}`);
        expect(await page.evaluate(() => document.documentElement.lang)).toBe(language);
        await check(page, `documentation, ${language}`);
      }
    } finally {
      await page.close();
    }
  });

  it('is built into no folder that holds something else', () => {
    expect(isOccupied(folder)).toBe(false);
    expect(isOccupied(join(folder, 'weights'))).toBe(true);
    expect(isOccupied(join(folder, 'nowhere'))).toBe(false);
  });
});
