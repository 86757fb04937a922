/** Loading weights in headless Chrome from another site, whatever that site does. */
import { createHash } from 'node:crypto';
import puppeteer, { type Browser, type Page } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { storedBytes } from '../src/model/encoding';
import type { Manifest } from '../src/model/manifest';
import { buildNetwork } from '../src/model/network';
import { seededWeights } from '../src/model/seeded';
import { vggManifest } from '../src/model/vgg';
import { type Behaviour, HostileServer } from './harness/hostile-server';
import type { LoadReport, LoadRequest } from './harness/load-page';
import { jsonBytes, writeSafetensors } from './harness/weight-writers';

/** Weights of 1.6 MB: smaller files from other sites are read whole, whatever their headers say. */
const manifest: Manifest = vggManifest({
  depth: 11,
  name: 'narrow',
  description: 'a narrow VGG-11 with generated weights',
  licence: 'MIT',
  labels: Array.from({ length: 10 }, (_, i) => `class ${i}`),
  weights: { format: 'safetensors', file: 'model.safetensors' },
  widths: [4, 4, 8, 8, 8],
  hidden: 600,
  inputSize: 64,
});
const network = buildNetwork(manifest);
const bytes = await writeSafetensors(seededWeights(network, 5));
const sha256 = createHash('sha256').update(bytes).digest('hex');
const int8Bytes = storedBytes(network, 'int8');

describe('weights from another site', () => {
  let browser: Browser;
  let page: Page;
  let server: HostileServer;
  /** What the undisturbed load computes, in int8. */
  let expected: readonly number[];
  let models = 0;

  /** Serves a model in a folder of its own. `again` serves it anew, in the same place. */
  function served(weights: Behaviour = {}, changes: object = {}, ofManifest: Behaviour = {}) {
    const folder = `/${models++}`;
    const path = `${folder}/model.safetensors`;
    const serve = (behaviour: Behaviour, manifestBehaviour: Behaviour): string => {
      const own = { ...manifest, weights: { ...manifest.weights, ...changes } };
      server.serve(path, bytes, behaviour);
      return server.serve(`${folder}/manifest.json`, jsonBytes(own), {
        type: 'application/json',
        ...manifestBehaviour,
      });
    };
    return {
      model: serve(weights, ofManifest),
      again: () => serve({}, {}),
      ranges: () => server.rangesOf(path),
    };
  }

  const load = (request: LoadRequest): Promise<LoadReport> =>
    page.evaluate((asked) => window.loadModel(asked), request);

  const newCache = (): string => `test ${crypto.randomUUID()}`;

  const isIndex = (path: string): boolean => path.endsWith('/int8');

  beforeAll(async () => {
    server = await HostileServer.start();
    browser = await puppeteer.connect({
      browserWSEndpoint: inject('browserEndpoint'),
      protocolTimeout: 0,
    });
    page = await browser.newPage();
    await page.goto(`${inject('baseUrl')}/test/harness/page.html`);
    await page.addScriptTag({
      type: 'module',
      url: `${inject('baseUrl')}/test/harness/load-page.ts`,
    });
    await page.waitForFunction('window.loadModel !== undefined');
    const report = await load({ model: served().model, dtype: 'int8' });
    expect(report).toMatchObject({ code: '', message: '', fromCache: false, gpuBytes: 0 });
    expect(new Set(report.probabilities).size).toBe(10);
    expected = report.probabilities;
  });
  afterAll(async () => {
    await page?.evaluate(async () => {
      for (const name of await caches.keys()) {
        if (name.startsWith('test ')) await caches.delete(name);
      }
    });
    await page?.close();
    await browser?.disconnect();
    await server?.close();
  });

  it('go on where the connection broke, and are kept', async () => {
    const cut = served({ cut: { at: 700_000, times: 2 } }, { sha256, bytes: bytes.length });
    const cache = newCache();
    const first = await load({ model: cut.model, dtype: 'int8', cache });
    expect(first).toMatchObject({ code: '', message: '', fromCache: false, gpuBytes: 0 });
    expect(first.probabilities).toEqual(expected);
    const [whole, ...others] = cut.ranges();
    expect(whole).toBeUndefined();
    expect(others).toHaveLength(2);
    for (const range of others) {
      const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1]);
      expect(from).toBeGreaterThan(0);
      expect(from).toBeLessThanOrEqual(700_000);
    }
    expect(first.kept.filter(isIndex)).toHaveLength(1);

    const second = await load({ model: cut.model, dtype: 'int8', cache });
    expect(second).toMatchObject({ code: '', fromCache: true });
    expect(second.probabilities).toEqual(expected);
    expect(cut.ranges()).toHaveLength(3);
  });

  it.each([
    ['f32', 'the network'],
    ['int8', 'the network'],
    ['int8', 'the cache'],
  ] as const)(
    'tell their progress as %s, from %s: the total is known, and reached',
    async (dtype, from) => {
      const { model } = served();
      const cache = newCache();
      if (from === 'the cache') await load({ model, dtype, cache, loadOnly: true });
      const { progress, fromCache, code } = await load({ model, dtype, cache, loadOnly: true });
      expect({ code, fromCache }).toEqual({ code: '', fromCache: from === 'the cache' });
      const total = storedBytes(network, dtype);
      expect(new Set(progress.map((step) => step.total))).toEqual(new Set([total]));
      const done = progress.map((step) => step.done);
      expect(done).toEqual(done.toSorted((a, b) => a - b));
      expect(done.at(-1)).toBe(total);
      for (const { rate } of progress) expect(rate).toBeGreaterThan(0);
    },
  );

  it.each<[string, () => ReturnType<typeof served>, RegExp]>([
    ['a wrong byte', () => served({ flip: 1_000_000 }, { sha256 }), /SHA-256 \w+, expected was/],
    [
      'a length that lies, longer',
      // With a checksum it is read to its end; without one only as far as tensors reach.
      () => served({ announce: bytes.length + 5000 }, { sha256 }),
      new RegExp(`bytes from \\d+ of ${bytes.length + 5000},.*\\b${bytes.length}\\b`),
    ],
    [
      'a length that lies, shorter',
      () => served({ announce: bytes.length - 5000 }),
      /tensor "classifier\.6\.(weight|bias)".*needs \d+ bytes, the header gives/,
    ],
    [
      'connections that always break, ranges ignored',
      () => served({ cut: { at: 700_000 }, ignoreRange: true }),
      /at byte \d+.*in 3 further tries/,
    ],
    ['404', () => served({ status: () => 404 }), /answered 404.*byte 0.*check the address/],
    ['500 for ever', () => served({ status: () => 500 }), /answered 500.*byte 0.*3 further tries/],
    ['a web page', () => served({ type: 'text/html' }), /answered with a web page \(text\/html\)/],
    [
      '404 for the manifest',
      () => served({}, {}, { status: () => 404 }),
      /manifest\.json answered 404/,
    ],
    [
      'a web page for the manifest',
      () => served({}, {}, { type: 'text/html' }),
      /manifest\.json answered with a web page/,
    ],
  ])('%s: says so, keeps nothing, and loads once it is mended', async (_, serve, message) => {
    const own = serve();
    const cache = newCache();
    const failed = await load({ model: own.model, dtype: 'int8', cache });
    expect(failed).toMatchObject({ code: 'weights', probabilities: [], kept: [], gpuBytes: 0 });
    expect(failed.message).toContain(new URL('.', own.model).href);
    expect(failed.message).toMatch(message);

    const mended = await load({ model: own.again(), dtype: 'int8', cache });
    expect(mended).toMatchObject({ code: '', message: '', fromCache: false });
    expect(mended.probabilities).toEqual(expected);
    expect(mended.kept.filter(isIndex)).toHaveLength(1);
  });

  it.each([
    ['the network', 2],
    ['the cache', 1],
  ] as const)('come again from %s where the device is lost', async (from, requests) => {
    const { model, ranges } = served();
    const cache = from === 'the cache' ? { cache: newCache() } : {};
    const report = await load({ model, dtype: 'int8', lose: true, ...cache });
    expect(report).toMatchObject({ code: '', message: '', gpuBytes: 0 });
    expect(report.probabilities).toEqual(expected);
    expect(ranges()).toEqual(Array(requests).fill(undefined));
  });

  it('of another length than the manifest says are refused before they are read', async () => {
    const { model } = served({}, { bytes: 12 });
    const failed = await load({ model, dtype: 'int8', cache: newCache() });
    expect(failed).toMatchObject({ code: 'weights', kept: [], progress: [], gpuBytes: 0 });
    expect(failed.message).toContain(`has ${bytes.length} bytes, expected were 12`);
  });

  it('abort in the middle leaves nothing on the GPU nor in the cache', async () => {
    // Behind the convolutions: some weights are on the GPU and kept when it comes to a halt.
    const { model, ranges } = served({ stallAt: 700_000 });
    const aborted = await load({ model, dtype: 'int8', cache: newCache(), abort: true });
    expect(aborted).toMatchObject({ code: 'other', message: 'enough', kept: [], gpuBytes: 0 });
    expect(aborted.progress[0]?.done).toBeGreaterThan(0);
    expect(aborted.progress[0]?.done).toBeLessThan(int8Bytes);
    expect(ranges()).toEqual([undefined]);
  });

  it('load without the network once they are kept, their manifest with them', async () => {
    const other = await HostileServer.start();
    let isOpen = true;
    try {
      other.serve('/model.safetensors', bytes);
      const model = other.serve('/manifest.json', jsonBytes(manifest));
      const cache = newCache();
      const first = await load({ model, dtype: 'int8', cache, loadOnly: true });
      expect(first).toMatchObject({ code: '', fromCache: false });
      await other.close();
      isOpen = false;
      const offline = await load({ model, dtype: 'int8', cache });
      expect(offline).toMatchObject({ code: '', message: '', fromCache: true });
      expect(offline.probabilities).toEqual(expected);
      const unknown = await load({ model, dtype: 'int8', cache: newCache() });
      expect(unknown).toMatchObject({ code: 'weights', kept: [] });
      expect(unknown.message).toContain(`${model} cannot be reached`);
    } finally {
      if (isOpen) await other.close();
    }
  });

  it('are not used where the manifest was taken away: a 404 is no failure of the network', async () => {
    const { model } = served({}, {}, { status: (request) => (request > 0 ? 404 : undefined) });
    const cache = newCache();
    const first = await load({ model, dtype: 'int8', cache, loadOnly: true });
    expect(first).toMatchObject({ code: '' });
    const gone = await load({ model, dtype: 'int8', cache });
    expect(gone).toMatchObject({ code: 'weights' });
    expect(gone.message).toContain('404');
  });
});
