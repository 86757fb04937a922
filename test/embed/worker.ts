import type { Browser } from 'puppeteer';
import { expect, it } from 'vitest';
import { htmlOf, longestTask, SAMPLE, type Site } from './site';

/** What happened in the page, as {@link SCRIPT} puts it down. */
interface Told {
  readonly isSame: boolean;
  readonly isSameOfClass: boolean;
  readonly isSameOverlay: boolean;
  readonly drawn: number;
  readonly facts: boolean;
  readonly previews: number;
  readonly progress: readonly string[];
  readonly devices: number;
  readonly kinds: Readonly<Record<string, boolean>>;
  readonly errors: Readonly<Record<string, readonly [code: string, message: string]>>;
  readonly isReason: boolean;
  readonly sparsity: readonly [number, number];
  readonly cached: readonly [boolean, boolean];
  readonly isModelSame: boolean;
}

/** Explains in a worker and on the page's thread, and compares. In the page itself: a strict policy evaluates no text. */
const SCRIPT = `
import { createExplainer, loadModel, MemoryCache, ScoreCamError } from '/dist/index.js';
const model = '/weights/scenes-vgg16/manifest.json';
const sample = '${SAMPLE}';
const same = (a, b) => a.length === b.length && a.every((value, i) => value === b[i]);
const codeOf = async (work) => {
  try { await work(); } catch (error) { return [error instanceof ScoreCamError ? error.code : error.name, error.message]; }
  return ['none', ''];
};
// Until the test has it go on.
const pauseAt = (stage) => new Promise((goOn) => { window[stage] = goOn; });
const progress = new Set();
const onProgress = ({ phase }) => progress.add(phase);
const remote = await createExplainer({ model, worker: true, onProgress });
await pauseAt('ready');
const previews = [];
const theirs = await remote.explain(sample, { channels: [...Array(12).keys()], onProgress, onPreview: (preview) => previews.push(preview) });
await pauseAt('explained');
const devices = window.devices;
const local = await createExplainer({ model });
const ours = await local.explain(sample, { channels: [...Array(12).keys()] });
const [theirHeart, ourHeart] = [await theirs.forClass('heart'), await ours.forClass('heart')];
const [theirOverlay, ourOverlay] = [await theirHeart.overlay({ opacity: 0.3 }), await ourHeart.overlay({ opacity: 0.3 })];
const canvas = document.createElement('canvas');
await theirHeart.draw(canvas);
const reweighed = await theirs.withWeighting('increase');
const grad = { method: 'grad-cam' };
const image = new Image();
image.src = sample;
const bitmap = await createImageBitmap(await (await fetch(sample)).blob());
const pixels = (await remote.explain(sample, grad)).image;
const ofKind = async (source) => same((await remote.explain(source, grad)).map.data, (await local.explain(source, grad)).map.data);
const sources = { image, bitmap, pixels, url: new URL(sample, location.href), blob: await (await fetch(sample)).blob(), canvas: Object.assign(document.createElement('canvas'), { width: 40, height: 30 }) };
sources.canvas.getContext('2d').fillRect(5, 5, 9, 9);
const kinds = {};
for (const [kind, source] of Object.entries(sources)) kinds[kind] = await ofKind(source);
kinds.bitmapStays = bitmap.width > 0;
const controller = new AbortController();
const reason = new Error('enough');
const isReason = await remote.explain(sample, { signal: controller.signal, onPreview: () => {}, onProgress: () => controller.abort(reason) }).then(() => false, (error) => error === reason);
const errors = {
  image: await codeOf(() => remote.explain('/nothing.png')),
  video: await codeOf(() => remote.explain(document.createElement('video'))),
  nonsense: await codeOf(() => remote.explain(5)),
  option: await codeOf(() => remote.explain(sample, { method: 'tea-leaves' })),
  className: await codeOf(() => theirs.forClass('cow')),
  device: await codeOf(() => createExplainer({ model, worker: true, getDevice: async () => {} })),
  worker: await codeOf(() => createExplainer({ model, worker: '/nowhere.js' })),
  manifest: await codeOf(() => createExplainer({ model: '/dist/index.js', worker: true })),
};
const sparsity = [(await remote.measure(theirs)).sparsity, (await local.measure(ours)).sparsity];
// A cache and a model that are in the page's memory.
const cache = new MemoryCache();
const cached = [];
for (let visit = 0; visit < 2; visit++) {
  const explainer = await createExplainer({ model, worker: true, cache });
  cached.push(explainer.model.weights.fromCache);
  explainer.dispose();
}
const loaded = await createExplainer({ model: await loadModel(model), worker: new URL('/dist/score-cam-webgpu.js', location.href) });
const isModelSame = same((await loaded.explain(sample, grad)).map.data, (await local.explain(sample, grad)).map.data);
loaded.dispose();
remote.dispose();
errors.disposed = await codeOf(() => remote.classify(sample));
window.told = {
  isSame: same(theirs.map.data, ours.map.data) && same(theirs.weights, ours.weights) && same(theirs.image.data, ours.image.data) && JSON.stringify([theirs.top, theirs.class, theirs.passes, theirs.layer, theirs.method]) === JSON.stringify([ours.top, ours.class, ours.passes, ours.layer, ours.method]),
  isSameOfClass: same(theirHeart.map.data, ourHeart.map.data) && theirHeart.passes.forward === 0 && reweighed.weighting === 'increase',
  isSameOverlay: same(theirOverlay.data, ourOverlay.data),
  drawn: canvas.width,
  facts: JSON.stringify(remote.model) === JSON.stringify(local.model) && JSON.stringify(remote.adapter) === JSON.stringify(local.adapter) && remote.memory.bytes > 1e6,
  previews: previews.length,
  progress: [...progress],
  devices, kinds, errors, isReason, sparsity, cached, isModelSame,
};
`;

export function workerCases(at: () => { readonly site: Site; readonly browser: Browser }): void {
  it('in a worker explains as on the page, bit for bit, and never keeps the page from answering', async () => {
    const { site, browser } = at();
    const script = site.put('worker.js', SCRIPT);
    const { page, problems, ended } = await site.open(
      browser,
      htmlOf(`<script type="module" src="${script}"></script>`, ''),
    );
    try {
      const has = (name: string) =>
        Promise.race([
          page.waitForFunction((own) => own in window, { timeout: 0, polling: 100 }, name),
          ended,
        ]);
      const goOn = async (from: string, to: string) => {
        await page.evaluate(
          (own) => (window as unknown as Record<string, () => void>)[own]?.(),
          from,
        );
        await has(to);
      };
      await has('ready');
      const inWorker = await longestTask(page, () => goOn('ready', 'explained'));
      const onPage = await longestTask(page, () => goOn('explained', 'told'));
      const told = (await page.evaluate(
        () => (window as unknown as { told: unknown }).told,
      )) as Told;
      expect(told.isSame).toBe(true);
      expect(told.isSameOfClass).toBe(true);
      expect(told.isSameOverlay).toBe(true);
      expect(told.drawn).toBe(224);
      expect(told.facts).toBe(true);
      expect(told.previews).toBeGreaterThan(0);
      expect(told.progress).toEqual(['weights', 'masks']);
      // The device is the worker's, and so is the work.
      expect(told.devices).toBe(0);
      // What the page's thread does by itself when the work is its own is what this tells apart.
      expect(inWorker).toBeLessThan(onPage / 4);
      expect(inWorker).toBeLessThanOrEqual(50);
      expect(Object.entries(told.kinds).filter(([, isRight]) => !isRight)).toEqual([]);
      expect(told.isReason).toBe(true);
      expect(
        Object.fromEntries(Object.entries(told.errors).map(([of, [code]]) => [of, code])),
      ).toEqual({
        image: 'image',
        video: 'image',
        nonsense: 'image',
        option: 'option',
        className: 'option',
        device: 'option',
        worker: 'worker',
        manifest: 'manifest',
        disposed: 'disposed',
      });
      expect(told.errors.worker?.[1]).toContain('/nowhere.js');
      expect(told.sparsity[0]).toBe(told.sparsity[1]);
      expect(told.cached).toEqual([false, true]);
      expect(told.isModelSame).toBe(true);
      // Those are the addresses that are meant to lead nowhere.
      expect(problems.filter((problem) => !problem.includes('404'))).toEqual([]);
    } finally {
      await page.close();
    }
  });
}
