/** Use over and over leaves nothing behind, and use at the same time changes nothing. `npm run soak` is the long form. */
import type { Browser, CDPSession, Page } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { launchChrome } from '../cli/hosts/chrome';
import type { Alive } from './harness/soak';

const LONG = process.env.SCORE_CAM_SLOW === '1';
/** `first` comes before what counts: the engine keeps what it learns of code that runs often. */
const { explanations, explainers } = LONG
  ? { explanations: { first: 200, many: 500 }, explainers: { first: 10, many: 50 } }
  : { explanations: { first: 20, many: 20 }, explainers: { first: 1, many: 3 } };
const AT_ONCE = 16;

/** Bytes that may be more afterwards. */
const MOST = {
  /** Of typed arrays: less than a single map. */
  arrays: 12_000,
  /** Of the browser's own objects, the GPU's among them. */
  wrappers: 12_000,
  /** Of all other objects, and of what the engine goes on learning. */
  objects: 400_000,
};
/** Uniform buffers that there may be more afterwards: a moment may have more submits in flight than any before. */
const UNIFORMS = 4;

type Heap = Readonly<Record<keyof typeof MOST, number>>;

describe('a page that goes on and on', () => {
  let browser: Browser;
  let page: Page;
  let session: CDPSession;

  beforeAll(async () => {
    // Of its own: nobody else's work is in its heap.
    browser = await launchChrome();
    page = await browser.newPage();
    await page.goto(`${inject('baseUrl')}/test/harness/page.html`);
    await page.addScriptTag({ type: 'module', url: `${inject('baseUrl')}/test/harness/soak.ts` });
    await page.waitForFunction('window.soak !== undefined');
    session = await page.createCDPSession();
  });

  afterAll(() => browser?.close());

  /** Bytes of what JavaScript can reach. */
  async function heap(): Promise<Heap> {
    await session.send('HeapProfiler.collectGarbage');
    const { usedSize, embedderHeapUsedSize, backingStorageSize } =
      await session.send('Runtime.getHeapUsage');
    return { arrays: backingStorageSize, wrappers: embedderHeapUsedSize, objects: usedSize };
  }

  /** That what is done again and again takes no more than the first times have. */
  async function expectFlat(
    what: 'explain' | 'cycle',
    { first, many }: { readonly first: number; readonly many: number },
  ): Promise<void> {
    const run = (times: number): Promise<Alive[]> =>
      page.evaluate((kind, count) => window.soak[kind](count), what, times);
    const { uniforms, ...before } = (await run(first)).at(-1) as Alive;
    const heapBefore = await heap();
    const after = await run(many);
    const heapAfter = await heap();
    const moreUniforms = Math.max(...after.map((each) => each.uniforms)) - uniforms;
    const kinds = Object.keys(MOST) as (keyof Heap)[];
    const grown = kinds.map((kind) => ({ kind, bytes: heapAfter[kind] - heapBefore[kind] }));
    const { vendor, architecture } = await page.evaluate(() => window.soak.adapter());
    console.log(
      `After each of ${many} on ${vendor} ${architecture}: ${before.bytes} bytes in ${before.buffers} buffers. After all: ` +
        `${moreUniforms} more uniforms; heap ` +
        `${grown.map(({ kind, bytes }) => `${kind} ${heapBefore[kind]} + ${bytes}`).join(', ')} bytes.`,
    );
    expect(after).toHaveLength(many);
    for (const each of after) expect(each).toMatchObject(before);
    expect(moreUniforms).toBeLessThanOrEqual(UNIFORMS);
    expect(grown.filter(({ kind, bytes }) => bytes >= MOST[kind])).toEqual([]);
  }

  it(`stays flat in GPU bytes, buffers and heap over ${explanations.many} explanations`, () =>
    expectFlat('explain', explanations));

  it(`stays flat over ${explainers.many} explainers, each made, used and disposed of`, () =>
    expectFlat('cycle', explainers));

  it(`explains ${AT_ONCE} images at once as each alone, bit for bit`, async () => {
    expect(await page.evaluate((many) => window.soak.together(many), AT_ONCE)).toEqual([]);
  });

  it('leaves nothing on the GPU in the end', async () => {
    expect(await page.evaluate(() => window.soak.end())).toEqual({
      devices: 0,
      buffers: 0,
      bytes: 0,
      uniforms: 0,
    });
  });
});
