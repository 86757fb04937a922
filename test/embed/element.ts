import axe from 'axe-core';
import type { Browser, Page } from 'puppeteer';
import { expect, it } from 'vitest';
import type { ScoreCamElement } from '../../src/element';
import { hears, htmlOf, inside, longestTask, type OpenPage, SAMPLE, type Site } from './site';

const ONE_FILE = '<script type="module" src="/dist/score-cam-element.js"></script>';
const MODULES = '<script type="module" src="/dist/element.js"></script>';
const PICTURE = `<img src="${SAMPLE}" alt="A drawn scene" width="224" height="224">`;

/** A file of the page's own that has the element work on the page's thread, where its GPU calls can be counted. */
const onPage = (site: Site): string => {
  const text = `import { ScoreCamElement } from '/dist/element.js'; ScoreCamElement.worker = false;`;
  return `<script type="module" src="${site.put('on-page.js', text)}"></script>`;
};

/** What axe-core finds wrong, in words. It is put into the page from outside, which no policy forbids. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations: found } = await page.evaluate(() =>
    (window as unknown as { axe: typeof axe }).axe.run(),
  );
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

const statusOf = (page: Page): Promise<string> =>
  page.$eval(inside('[role=status]'), (status) => status.textContent ?? '');

export function elementCases(at: () => { readonly site: Site; readonly browser: Browser }): void {
  const open = async (html: string, prepare?: () => void): Promise<OpenPage> =>
    at().site.open(at().browser, html, prepare);

  it('explains by one tag and one file at a click, by keyboard alone, with a preview on the way', async () => {
    const { page, problems } = await open(
      htmlOf(ONE_FILE, `<score-cam controls reveal="interaction">${PICTURE}</score-cam>`),
    );
    try {
      const button = await page.waitForSelector(inside('button'), { visible: true, timeout: 0 });
      expect(await button?.evaluate((node) => node.textContent)).toBe(
        'Show where the network looked',
      );
      expect(await page.evaluate(() => window.happened)).toEqual([]);
      expect(page.workers()).toHaveLength(0);
      expect(await violations(page)).toEqual([]);

      await page.keyboard.press('Tab');
      const clicked = await page.evaluate(() => performance.now());
      const longest = await longestTask(page, async () => {
        await page.keyboard.press('Enter');
        await hears(page, 'preview');
        expect(page.workers()).toHaveLength(1);
        expect(await statusOf(page)).toMatch(/^A first map for \w+/);
        await hears(page, 'explain');
      });
      const happened = await page.evaluate(() => window.happened);
      const types = [...new Set(happened.map(({ type }) => type))];
      expect(types).toEqual(['progress', 'load', 'preview', 'explain']);
      const previewed = happened.find(({ type }) => type === 'preview')?.at ?? Number.NaN;
      console.log(`First preview ${Math.round(previewed - clicked)} ms after the click.`);
      expect(longest).toBeLessThanOrEqual(50);
      expect(await statusOf(page)).toMatch(/^Here it looked for: arrow \(\d+/);

      // The list: another class by an arrow key, read off the same run.
      await page.focus(inside('input[type=radio]:checked'));
      const first = await page.$eval('score-cam', (element) =>
        (element as ScoreCamElement).map?.join(),
      );
      await page.keyboard.press('ArrowDown');
      await hears(page, 'classchange');
      const second = await page.$eval('score-cam', (element) => {
        const { explanation, map } = element as ScoreCamElement;
        return { map: map?.join(), label: explanation?.class.label, passes: explanation?.passes };
      });
      expect(second.label).toBe('spiral');
      expect(second.passes).toEqual({ forward: 0, backward: 0, head: 0 });
      expect(second.map).not.toBe(first);
      expect(await statusOf(page)).toMatch(/^Here it looked for: spiral/);

      // The point: arrow keys read the map.
      await page.focus(inside('[role=slider]'));
      const spoken = (): Promise<string | null> =>
        page.$eval(inside('[role=slider]'), (point) => point.getAttribute('aria-valuetext'));
      expect(await spoken()).toMatch(/^1\.00, \d+ % from the left, \d+ % from the top$/);
      await page.keyboard.press('ArrowLeft');
      await page.keyboard.press('ArrowLeft');
      const [, x = '', y = ''] = /(\d+) % from the left, (\d+)/.exec((await spoken()) ?? '') ?? [];
      const value = await page.$eval(
        'score-cam',
        (element, text) => {
          const { map } = element as ScoreCamElement;
          return [...(map ?? [])].some((one) => one.toFixed(2) === text);
        },
        ((await spoken()) ?? '').slice(0, 4),
      );
      expect(value).toBe(true);
      expect(Number(x)).toBeLessThan(100);
      expect(Number(y)).toBeLessThan(100);
      // The mouse does, too.
      const stage = await page.$(inside('.stage'));
      await stage?.hover();
      expect(await spoken()).toContain('50 % from the left, 50 % from the top');

      const made = await page.$eval('score-cam', async (element) => {
        const { type, size } = await (element as ScoreCamElement).toBlob();
        return {
          type,
          size,
          url: (element as ScoreCamElement).toDataURL('image/jpeg').slice(0, 23),
        };
      });
      expect(made).toMatchObject({ type: 'image/png', url: 'data:image/jpeg;base64,' });
      expect(made.size).toBeGreaterThan(10_000);
      expect(problems).toEqual([]);
    } finally {
      await page.close();
    }
  });

  it('is accessible in both languages and both colour schemes', async () => {
    const own = [
      ['en', 'Likeliest classes', 'arrow'],
      ['ko', '가능성이 가장 높은 분류', '화살표'],
    ] as const;
    const body = own.map(
      ([lang]) =>
        `<div lang="${lang}"><score-cam id="${lang}" controls loading="eager" method="grad-cam">${PICTURE}</score-cam></div>`,
    );
    const { page, problems } = await open(htmlOf(MODULES, body.join('')));
    try {
      for (const [id, legend, label] of own) {
        await hears(page, 'explain', id);
        expect(await page.$eval(inside('legend', id), (node) => node.textContent)).toBe(legend);
        expect(await page.$eval(inside('.class span', id), (node) => node.textContent)).toBe(label);
      }
      for (const value of ['light', 'dark']) {
        await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value }]);
        expect(await violations(page)).toEqual([]);
      }
      expect(problems).toEqual([]);
    } finally {
      await page.close();
    }
  });

  it('is loaded and prepared before the click where that is wanted, and asks for nothing else then', async () => {
    const { site } = at();
    const { page, problems } = await open(
      htmlOf(
        onPage(site),
        `<score-cam controls reveal="interaction" loading="eager" method="grad-cam">${PICTURE}</score-cam>`,
      ),
    );
    try {
      await hears(page, 'load');
      const button = await page.waitForSelector(inside('button'), { visible: true, timeout: 0 });
      expect(await page.evaluate(() => window.happened.map(({ type }) => type))).toEqual(['load']);
      expect(await page.evaluate(() => window.dispatches)).toBeLessThan(20);
      await page.waitForFunction(() => window.compiling === 0, { timeout: 0, polling: 100 });
      const compiled = await page.evaluate(() => window.pipelines);
      expect(compiled).toBeGreaterThan(20);
      await button?.click();
      await hears(page, 'explain');
      expect(await page.evaluate(() => window.pipelines)).toBe(compiled);
      expect(await page.evaluate(() => window.devices)).toBe(1);
      expect(problems).toEqual([]);
    } finally {
      await page.close();
    }
  });

  it('shares one device among elements, frees it with the last, and loses nothing when it is moved', async () => {
    const { site } = at();
    const element = (id: string): string =>
      `<score-cam id="${id}" controls loading="eager" method="grad-cam">${PICTURE}</score-cam>`;
    const { page, problems } = await open(
      htmlOf(onPage(site), `${element('a')}<div>${element('b')}</div>`),
    );
    try {
      await hears(page, 'explain', 'a');
      await hears(page, 'explain', 'b');
      expect(await page.evaluate(() => window.devices)).toBe(1);

      // Another class of a run: nothing but weighing, upsampling and normalising.
      const switched = await page.evaluate(async () => {
        const explained = document.querySelector('score-cam') as ScoreCamElement;
        explained.method = 'score-cam';
        const { passes } = await explained.explain();
        const before = window.dispatches;
        explained.targetClass = 'heart';
        await new Promise((resolve) => {
          explained.addEventListener('classchange', resolve, { once: true });
        });
        const { class: shown } = explained.explanation ?? {};
        return { forward: passes.forward, dispatches: window.dispatches - before, shown };
      });
      expect(switched.forward).toBeGreaterThan(30);
      expect(switched.dispatches).toBeLessThan(10);
      expect(switched.shown?.label).toBe('heart');

      const moved = await page.evaluate(async () => {
        const [a, b] = document.querySelectorAll('score-cam') as unknown as ScoreCamElement[];
        const { explanation } = a as ScoreCamElement;
        const before = [window.devices, window.dispatches];
        document.querySelector('div')?.append(a as ScoreCamElement);
        await new Promise((resolve) => setTimeout(resolve, 100));
        const isKept = a?.explanation === explanation && explanation !== undefined;
        const now = [window.devices, window.dispatches];
        // One is taken away, and the other goes on.
        b?.remove();
        await new Promise((resolve) => setTimeout(resolve, 100));
        await explanation?.forClass('star');
        // The last is taken away, and all is freed.
        a?.remove();
        await new Promise((resolve) => setTimeout(resolve, 100));
        const code = await explanation?.forClass('star').then(
          () => undefined,
          (error: { code?: string }) => error.code,
        );
        return { isKept, before, now, code, isForgotten: a?.explanation === undefined };
      });
      expect(moved.isKept).toBe(true);
      expect(moved.now).toEqual(moved.before);
      expect(moved.code).toBe('disposed');
      expect(moved.isForgotten).toBe(true);

      // Put back, it is explained anew, on a new device.
      await page.evaluate(() => {
        const again = document.createElement('score-cam');
        again.id = 'c';
        again.method = 'grad-cam';
        again.loading = 'eager';
        again.src = '/weights/scenes-vgg16/sample.png';
        again.alt = 'A drawn scene';
        document.querySelector('div')?.append(again);
        again.remove();
        document.querySelector('div')?.append(again);
      });
      await hears(page, 'explain', 'c');
      expect(await page.evaluate(() => window.devices)).toBe(2);
      expect(problems).toEqual([]);
    } finally {
      await page.close();
    }
  });

  it('follows its attributes, which reflect its properties', async () => {
    const { page, problems } = await open(
      htmlOf(
        onPage(at().site),
        `<score-cam controls reveal="manual" method="grad-cam" class="card arrow">${PICTURE}</score-cam>`,
      ),
    );
    try {
      const found = await page.$eval('score-cam', async (node) => {
        const element = node as ScoreCamElement;
        const shadow = element.shadowRoot as ShadowRoot;
        const heat = shadow.querySelector('canvas') as HTMLCanvasElement;
        const settled = () => new Promise((resolve) => setTimeout(resolve, 50));
        const told: Record<string, unknown> = {};
        await settled();
        told.waits = window.happened.length === 0 && element.explanation === undefined;
        told.early = await element.toBlob().catch((error) => (error as { code?: string }).code);
        await element.explain();
        // What is the page's in `class` is no class of the network.
        told.auto = element.explanation?.class.label;
        element.className = 'Heart';
        await new Promise((resolve) =>
          element.addEventListener('classchange', resolve, { once: true }),
        );
        told.byClass = element.explanation?.class.label;
        element.setAttribute('target-class', '5');
        await new Promise((resolve) =>
          element.addEventListener('classchange', resolve, { once: true }),
        );
        told.byIndex = element.explanation?.class.label;
        const pixels = () => heat.toDataURL();
        const dispatches = window.dispatches;
        const maps = [];
        for (const name of ['turbo', 'viridis', 'magma', 'grey'] as const) {
          element.colourMap = name;
          await settled();
          maps.push(pixels());
        }
        told.maps = new Set(maps).size;
        element.opacity = 0.25;
        await settled();
        told.opacity = [
          element.getAttribute('opacity'),
          getComputedStyle(heat).getPropertyValue('--_opacity'),
        ];
        told.drawnWithoutGpu = window.dispatches === dispatches;
        element.controls = false;
        await settled();
        told.controls = (shadow.querySelector('.controls') as HTMLElement).hidden;
        element.strings = { explain: 'Voilà' };
        element.setAttribute('method', 'layer-cam');
        await settled();
        // Manual: another method is not run by itself.
        told.cleared = element.explanation === undefined;
        await element.explain();
        told.method = element.explanation?.method;
        const bad = new Promise<CustomEvent<{ code?: string }>>((resolve) => {
          element.addEventListener('error', resolve as never, { once: true });
        });
        element.method = 'tea-leaves' as never;
        told.rejected = await element.explain().catch((error) => (error as { code?: string }).code);
        told.told = (await bad).detail.code;
        told.status = shadow.querySelector('[role=status]')?.textContent;
        told.button = shadow.querySelector('button')?.textContent;
        told.reflected = ['src', 'alt', 'model', 'method', 'layer', 'dtype'].map((name) => {
          element.setAttribute(name, 'x');
          const isRead = (element as unknown as Record<string, unknown>)[name] === 'x';
          (element as unknown as Record<string, unknown>)[name] = null;
          return isRead && !element.hasAttribute(name);
        });
        element.reveal = 'auto';
        element.loading = 'eager';
        told.enumerated = [element.getAttribute('reveal'), element.getAttribute('loading')];
        return told;
      });
      expect(found).toEqual({
        waits: true,
        early: 'option',
        auto: 'arrow',
        byClass: 'heart',
        byIndex: 'arrow',
        maps: 4,
        opacity: ['0.25', '0.25'],
        drawnWithoutGpu: true,
        controls: true,
        cleared: true,
        method: 'layer-cam',
        rejected: 'option',
        told: 'option',
        status: expect.stringContaining('tea-leaves'),
        button: 'Try again',
        reflected: [true, true, true, true, true, true],
        enumerated: ['auto', 'eager'],
      });
      expect(problems).toEqual([]);
    } finally {
      await page.close();
    }
  });

  it('leaks nothing when its picture is changed a hundred times', async () => {
    const { page } = await open(
      htmlOf(MODULES, `<score-cam loading="eager" method="grad-cam" src="${SAMPLE}"></score-cam>`),
    );
    try {
      await hears(page, 'explain');
      await page.$eval(
        'score-cam',
        async (node, sample) => {
          const element = node as ScoreCamElement;
          for (let i = 0; i < 100; i++) {
            element.src = `${sample}?${i}`;
            // Some are let begin, some are let end.
            if (i % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
            if (i % 25 === 0) await element.explain();
          }
          await element.explain();
        },
        SAMPLE,
      );
      expect(page.workers()).toHaveLength(1);
      const session = await page.createCDPSession();
      await session.send('HeapProfiler.enable');
      await session.send('HeapProfiler.collectGarbage');
      // Explanations in the page's heap: the one that is shown, which is the run's first, too.
      const prototype = await page.evaluateHandle(() => {
        const { explanation: shown } = document.querySelector('score-cam') as ScoreCamElement;
        return Object.getPrototypeOf(shown) as object;
      });
      const alive = await page.queryObjects(prototype);
      expect(
        await alive.evaluate((objects) => (objects as unknown as object[]).length),
      ).toBeLessThanOrEqual(2);
    } finally {
      await page.close();
    }
  });

  it('says what to do where there is no WebGPU, and shows the picture all the same', async () => {
    const body = `<score-cam id="own">${PICTURE}</score-cam>
      <score-cam id="told">${PICTURE}<p slot="no-webgpu">Come back with another browser.</p></score-cam>`;
    const { page, problems } = await open(htmlOf(MODULES, body), () => {
      delete (Navigator.prototype as { gpu?: GPU }).gpu;
    });
    try {
      await hears(page, 'error', 'own');
      await hears(page, 'error', 'told');
      const notice = await page.waitForSelector(inside('.notice', 'own'), { visible: true });
      expect(await notice?.evaluate((node) => node.textContent)).toMatch(/Chrome.*Firefox.*Safari/);
      const shown = await page.$$eval('score-cam img, score-cam p', (nodes) =>
        nodes.map((node) => node.checkVisibility()),
      );
      expect(shown).toEqual([true, true, true]);
      const rejected = await page.$eval('score-cam', (node) =>
        (node as ScoreCamElement).explain().catch((error) => (error as { code?: string }).code),
      );
      expect(rejected).toBe('no-webgpu');
      expect(page.workers()).toHaveLength(0);
      expect(await violations(page)).toEqual([]);
      expect(problems).toEqual([]);
    } finally {
      await page.close();
    }
  });

  it('shows its picture without JavaScript', async () => {
    const page = await at().browser.newPage();
    try {
      await page.setJavaScriptEnabled(false);
      const path = at().site.put(
        'plain.html',
        htmlOf(ONE_FILE, `<score-cam>${PICTURE}</score-cam>`),
      );
      await page.goto(`${at().site.origin}${path}`);
      const image = await page.$('score-cam img');
      expect((await image?.boundingBox())?.width).toBe(224);
    } finally {
      await page.close();
    }
  });

  it('asks before it fetches a large network, and stops when it is told to', async () => {
    const { page, problems } = await open(
      htmlOf(MODULES, `<score-cam model="vgg11-seeded-1">${PICTURE}</score-cam>`),
    );
    try {
      const button = await page.waitForSelector(inside('button'), { visible: true, timeout: 0 });
      expect(await page.$eval(inside('.large'), (node) => node.checkVisibility())).toBe(true);
      expect(page.workers()).toHaveLength(0);
      await button?.click();
      await hears(page, 'progress');
      const stop = await page.waitForSelector(inside('[part~=cancel]'), {
        visible: true,
        timeout: 0,
      });
      await stop?.click();
      expect(await statusOf(page)).toBe('Cancelled.');
      await page.waitForSelector(inside('[part~=explain]'), { visible: true });
      await expect.poll(() => page.workers().length, { timeout: 60_000 }).toBe(0);
      expect(await page.evaluate(() => window.happened.some(({ type }) => type === 'error'))).toBe(
        false,
      );
      expect(problems).toEqual([]);
    } finally {
      await page.close();
    }
  });
}
