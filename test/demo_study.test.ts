/** The views that explain, in headless Chrome: what they say is what the library computes. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import axe from 'axe-core';
import type { Browser, Page } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { falseConfidence } from '../cli/evaluation/argument';
import { launchChrome } from '../cli/hosts/chrome';
import { projectRoot, type Serving, serveProject } from '../cli/server';
import { percent } from '../cli/words';
import { VARIANTS } from '../src/kernels/variants';

/** By the public API, on a page of its own. */
interface Expected {
  readonly weights: readonly number[];
  readonly increases: readonly number[];
  readonly gradients: readonly number[];
  readonly probability: number;
  /** Of the finished map over the sample. */
  readonly overlay: string;
  /** Share of Score-CAM's energy in each object's box, as the view words it. */
  readonly energies: readonly string[];
  /** Of the scene that the network is sure of. */
  readonly confident: string;
}

const SHA = `async (data) => Array.from(
  new Uint8Array(await crypto.subtle.digest('SHA-256', data)), (byte) => byte.toString(16)).join()`;

const wantsSlow = process.env.SCORE_CAM_SLOW === '1';

describe('the views that explain', () => {
  let server: Serving;
  let browser: Browser;
  let expected: Expected;
  const problems: unknown[] = [];

  /** The page of most views, whose network is loaded once; its address says which is shown. */
  let shared: Page | undefined;
  const show = async (hash: string): Promise<Page> => {
    const page = shared;
    if (!page) {
      shared = await open(hash, () => {});
      return shared;
    }
    await page.evaluate((to) => {
      document.querySelector('main')?.replaceChildren();
      location.hash = to;
    }, hash);
    return page;
  };
  const open = async (hash: string, prepare: () => void): Promise<Page> => {
    const page = await browser.newPage();
    page.on('pageerror', (error) => problems.push(error));
    await page.evaluateOnNewDocument(prepare);
    await page.goto(`${server.url}/demo/${hash}`, { timeout: 0 });
    return page;
  };
  const done = (page: Page, place = 'main'): Promise<unknown> =>
    page.waitForFunction(
      (selector) => {
        const status = document.querySelector(`${selector} [role="status"]`);
        return status?.textContent && !status.closest('[aria-busy]');
      },
      { timeout: 0 },
      place,
    );
  const text = (page: Page, selector: string): Promise<string> =>
    page.$eval(selector, (element) => element.textContent ?? '');
  const texts = (page: Page, selector: string): Promise<string[]> =>
    page.$$eval(selector, (all) => all.map((element) => element.textContent ?? ''));
  /** The cells of a table by its caption. */
  const cells = (page: Page, caption: string): Promise<string[][]> =>
    page.$$eval(
      'table',
      (tables, wanted) => {
        const table = tables.find((each) => each.caption?.textContent === wanted);
        return [...(table?.tBodies[0]?.rows ?? [])].map((row) =>
          [...row.cells].map((cell) => cell.textContent ?? ''),
        );
      },
      caption,
    );

  /** With all that the view shows in the end, in both colour schemes. */
  const isAccessible = async (page: Page): Promise<void> => {
    await page.evaluate(axe.source);
    for (const scheme of ['light', 'dark']) {
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
      const found = await page.evaluate(`axe.run(document).then(({ violations }) =>
        violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')))`);
      expect(found, scheme).toEqual([]);
    }
  };

  beforeAll(async () => {
    server = await serveProject([], { packages: ['@observablehq/plot'] });
    browser = await launchChrome();
    const page = await browser.newPage();
    await page.goto(`${server.url}/cli/page.html`);
    // As text: what stands here as code is rewritten by the test runner, import() too.
    expected = (await page.evaluate(`(async () => {
      const from = (path) => import('${server.url}/' + path + '.ts');
      const { createExplainer } = await from('src/index');
      const { drawScene } = await from('weights/scenes');
      const { energyIn } = await from('src/evaluation/index');
      const { percent } = await from('cli/words');
      const folder = '${server.url}/weights/scenes-vgg16/';
      const explainer = await createExplainer({ model: folder + 'manifest.json' });
      const score = await explainer.explain(folder + 'sample.png');
      const increase = await score.withWeighting('increase');
      const grad = await explainer.explain(folder + 'sample.png', { method: 'grad-cam' });
      const { objects } = drawScene({ seed: 3000006, objects: 2 });
      const energies = [];
      for (const { label, box } of objects) {
        const { map } = await score.forClass(label);
        energies.push(percent(energyIn(map, [box])));
      }
      const sure = drawScene({ seed: 3000016, objects: 1 });
      const [top] = await explainer.classify(sure);
      return {
        weights: [...score.weights],
        increases: [...increase.weights],
        gradients: [...grad.weights],
        probability: score.class.probability,
        overlay: await (${SHA})((await score.overlay()).data),
        energies,
        confident: percent(top.probability),
      };
    })()`)) as Expected;
    await page.close();
  });

  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  it('how it works: gallery, steps and sum are those of the run, by keyboard alone and in both languages', async () => {
    const page = await show('#view=how&lang=en');
    await done(page);
    const gallery = async () => (await texts(page, '[role="option"]')).join(' ');
    const figures = (values: readonly number[]): string =>
      Array.from(values, (value, channel) => ({ value, channel }))
        .sort((a, b) => b.value - a.value || a.channel - b.channel)
        .map(({ value, channel }) => `map ${channel}${value.toFixed(3)}`)
        .join(' ');
    expect(await gallery()).toBe(figures(expected.weights));
    await page.focus('#how-sort');
    await page.keyboard.press('ArrowDown');
    expect(await gallery()).toBe(figures(expected.increases));
    await page.keyboard.press('ArrowDown');
    const deviations = (await texts(page, '[role="option"] span:last-child')).map(Number);
    expect(deviations).toEqual(deviations.toSorted((a, b) => b - a));
    await page.keyboard.press('Home');

    // The gallery is one stop of the Tab key; arrows go through it.
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowRight');
    const second = expected.weights
      .map((weight, channel) => ({ weight, channel }))
      .sort((a, b) => b.weight - a.weight)[1] as { weight: number; channel: number };
    const chosen = `map ${second.channel}, asked for arrow`;
    await page.waitForFunction(
      (wanted) => document.querySelector('.facts caption')?.textContent === wanted,
      { timeout: 0 },
      chosen,
    );
    const facts = await cells(page, chosen);
    expect(facts[0]?.[1]).toBe(percent(second.weight));
    // A pass over the picture that is shown, against the run, which never had it in memory.
    const [run, again] = (facts.at(-1)?.[1] ?? '').split('; ').map(Number) as [number, number];
    expect(Math.abs(run - again)).toBeLessThan(1e-3);

    const sum = () =>
      page.evaluate(`(async () => {
        const canvas = [...document.querySelectorAll('.picture canvas')].at(-1);
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return (${SHA})(data);
      })()`);
    const note = (pattern: string) =>
      page.waitForFunction(
        (wanted) => document.querySelector('output')?.textContent?.match(wanted),
        { timeout: 0 },
        pattern,
      );
    await page.focus('#how-count');
    await page.keyboard.press('Home');
    await note('No map');
    expect(await sum()).not.toBe(expected.overlay);
    await page.keyboard.press('End');
    await note('value for value');
    expect(await sum()).toBe(expected.overlay);

    expect(await page.$$eval('math', (all) => all.length)).toBe(4);
    await page.focus('[hreflang="ko"]');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.querySelector('h1')?.textContent === '작동 원리');
    await done(page);
    expect(await text(page, '[aria-selected="true"] .name')).toBe(`맵 ${second.channel}`);
    await isAccessible(page);
  });

  it('why not gradients: points, pairs and energies are what the library computes', async () => {
    const page = await show('#view=why&lang=en');
    await done(page);
    const maps = expected.gradients.map((gradient, channel) => ({
      channel,
      gradient,
      increase: expected.increases[channel] as number,
    }));
    const small = (value: number): string => value.toPrecision(3);
    expect(await cells(page, 'All maps, by weight')).toEqual(
      maps
        .toSorted((a, b) => b.gradient - a.gradient)
        .map((map) => [String(map.channel), small(map.gradient), small(map.increase)]),
    );
    const { falsePairs, pairs } = falseConfidence(maps);
    const said = await text(page, 'main');
    expect(said).toContain(`In ${falsePairs} of ${pairs} pairs`);
    // As in the seminar's figure: the less weight, the more it brings.
    const strip = (await texts(page, '.strip figcaption')).slice(1).map((caption) => {
      const found = /weight (\S+), brings (\S+) points/.exec(caption);
      return { weight: Number(found?.[1]), points: Number(found?.[2]) };
    });
    expect(strip.length).toBeGreaterThanOrEqual(2);
    strip.slice(1).forEach(({ weight, points }, i) => {
      expect(weight).toBeLessThan(strip[i]?.weight as number);
      expect(points).toBeGreaterThan(strip[i]?.points as number);
    });

    const way = await cells(page, '2. Gradients saturate');
    expect(way).toHaveLength(21);
    expect(way.at(-1)?.[1]).toBe(expected.confident);
    expect(said).toContain('its gradient is as good as gone');

    const apart = await cells(page, '4. Two classes in one picture');
    expect(apart).toHaveLength(6);
    const own = apart.filter(([method]) => method === 'Score-CAM').map((row) => row[2]);
    expect(own).toEqual(expected.energies);

    expect(await text(page, 'blockquote')).toMatch(/^CAM needs a pooling head/);
    const difference = Number(/at most (\S+) of the largest/.exec(said)?.[1]);
    expect(difference).toBeLessThan(1e-3);
    // The page's policy takes none.
    expect(await page.$$eval('.chart svg', (all) => all.length)).toBe(2);
    expect(await page.$('.chart style')).toBeNull();
    await isAccessible(page);
  });

  it('kernels: all of them, the last dispatches, and what is measured on demand', async () => {
    const page = await show('#view=kernels&lang=en');
    await done(page);
    const files = ['src/kernels', 'bench/ladder'].flatMap((folder) =>
      readdirSync(join(projectRoot, folder), { recursive: true, encoding: 'utf8' }).filter((name) =>
        name.endsWith('.wgsl'),
      ),
    );
    const names = await texts(page, '.kernel summary code');
    expect(names).toHaveLength(files.length);
    expect(names).toEqual(expect.arrayContaining(Object.keys(VARIANTS)));

    const timed = Number(/^(\d+) dispatches/.exec(await text(page, '[role="status"]'))?.[1]);
    const last = await cells(page, 'The last dispatches');
    expect(last.reduce((sum, [, count]) => sum + Number(count), 0)).toBe(timed);

    const at = names.indexOf('softmax');
    const kernel = (await page.$$('.kernel'))[at];
    await (await kernel?.$('summary'))?.focus();
    await page.keyboard.press('Enter');
    await kernel?.waitForSelector('.source');
    expect(await kernel?.$eval('.comment', ({ textContent }) => textContent)).toContain('Shapes');
    expect(await kernel?.$eval('.source', ({ textContent }) => textContent)).toContain('@compute');
    expect(await kernel?.$$('tbody tr')).not.toHaveLength(0);
    await (await kernel?.waitForSelector('button'))?.focus();
    await page.keyboard.press('Enter');
    await done(page, '.kernel[open]');
    const [measured] = await cells(page, 'softmax, alone, at sizes of VGG-16');
    // Name, ms, GFLOP/s, GB/s, share of the measured roof.
    expect(measured?.[0]).toBe('softmax');
    expect(
      measured
        ?.slice(1, 4)
        .map(Number)
        .every((rate) => rate > 0),
    ).toBe(true);
    expect(measured?.[4]).toMatch(/^[\d.]+ %$/);

    await page.click('.ladder:last-child button');
    await done(page, '.ladder:last-child');
    const rungs = await cells(page, 'a fully connected layer');
    expect(rungs.length).toBeGreaterThanOrEqual(4);
    expect(rungs.every(([, idea, ms]) => idea !== '' && Number(ms) > 0)).toBe(true);
    await isAccessible(page);
  });

  it.runIf(wantsSlow)('kernels: says so where there are no timestamps', async () => {
    const page = await open('#view=kernels&lang=en', () => {
      const { prototype } = GPUAdapter;
      const { get } = Object.getOwnPropertyDescriptor(prototype, 'features') as {
        get(): Set<string>;
      };
      Object.defineProperty(prototype, 'features', {
        get() {
          return new Set([...get.call(this)].filter((name) => name !== 'timestamp-query'));
        },
      });
    });
    try {
      await done(page);
      expect(await text(page, '[role="status"]')).toContain('there is no clock for its dispatches');
      expect(await text(page, '.adapter')).toContain('timestamp-query is absent here');
    } finally {
      await page.close();
    }
  });

  it('throws nothing on any page', () => {
    expect(problems).toEqual([]);
  });
});
