import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, CDPSession, Page } from 'puppeteer';
import { launchChrome } from '../cli/hosts/chrome';
import { openServed } from '../cli/served';
import { fileAddress } from '../cli/server';
import { today } from '../cli/words';
import type { AdapterFacts, WeightDtype } from '../src/index';
import { presetManifest } from '../src/model/preset-manifests';
import { processors } from './machine';
import { writeTimmFile } from './timm-file';
import type { Explained, Loaded } from './weights-page';
import { writeJson } from './write';

const MB = 1e6;
const FORMS: readonly WeightDtype[] = ['f32', 'f16', 'int8'];

export interface FormResult extends Loaded {
  readonly model: string;
  readonly dtype: WeightDtype;
  /** Most JavaScript memory of the page while loading: heap and array buffers. */
  readonly pagePeakBytes: number;
  readonly cachedSeconds: number;
  readonly cachedPagePeakBytes: number;
  readonly explainedGpuPeakBytes: number;
  /** Against f32: largest change of a probability, of a log-probability among the five likeliest, of the map. */
  readonly probabilityChange: number;
  readonly logProbabilityChange: number;
  readonly topFive: string;
  readonly mapChange: number;
}

/** `npm run bench -- --weights`: prints a line a form, and writes the figures if they are wanted. */
export async function benchWeights(channels: number, out: string | undefined): Promise<void> {
  const { browserVersion, adapter, results } = await measureWeights(channels);
  if (out === undefined) return;
  const machine = { ...processors(), browser: browserVersion };
  writeJson(out, { date: today(), adapter, machine, channels, results });
  console.log(`Written to ${out}`);
}

/**
 * Loads the full-size seeded VGG-16 from a 553 MB file in timm's layout, and the embedded model, in every
 * form: from the server, then from the browser's cache; and compares what they compute.
 */
export async function measureWeights(channels: number): Promise<{
  browserVersion: string;
  adapter: AdapterFacts;
  results: FormResult[];
}> {
  const folder = mkdtempSync(join(tmpdir(), 'score-cam-weights-'));
  const { url, launched: browser, close } = await openServed(launchChrome, [folder]);
  try {
    const file = await writeTimmFile(folder, 16, 1);
    const { sha256, bytes } = file;
    const weights = { format: 'safetensors', file: 'vgg16.safetensors', sha256, bytes };
    const manifest = { ...presetManifest('vgg16'), name: 'vgg16 (seeded weights)', weights };
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
    const image = `${url}/weights/scenes-vgg16/sample.png`;
    const browserVersion = await browser.version();
    const results: FormResult[] = [];
    let adapter: AdapterFacts | undefined;
    for (const [model, address, count] of [
      ['VGG-16, seeded', fileAddress(url, join(folder, 'manifest.json')), channels],
      ['scenes-vgg16', `${url}/weights/scenes-vgg16/manifest.json`, Infinity],
    ] as const) {
      let exact: Explained | undefined;
      for (const dtype of FORMS) {
        const site = `${url}/bench/weights-page.html`;
        const first = await visit(browser, site, (page) => loadForm(page, address, dtype));
        const again = await visit(browser, site, async (page) => {
          const loaded = await loadForm(page, address, dtype);
          if (!loaded.result.fromCache) throw new Error(`${dtype} was not kept`);
          const explained = await page.evaluate(
            (...args) => window.weights.explain(...args),
            image,
            Math.min(count, 4096),
            exact?.target,
          );
          await clearStorage(page, url);
          return { ...loaded, explained };
        });
        exact ??= again.explained;
        adapter = first.result.adapter;
        const result: FormResult = {
          model,
          dtype,
          ...first.result,
          pagePeakBytes: first.peak,
          cachedSeconds: again.result.seconds,
          cachedPagePeakBytes: again.peak,
          explainedGpuPeakBytes: again.explained.gpuPeakBytes,
          ...differences(exact, again.explained),
        };
        results.push(result);
        console.log(describe(result));
      }
    }
    return { browserVersion, adapter: adapter as AdapterFacts, results };
  } finally {
    await close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function visit<T>(
  browser: Browser,
  site: string,
  work: (page: Page) => Promise<T>,
): Promise<T> {
  const page = await browser.newPage();
  try {
    await page.goto(site);
    await page.waitForFunction('window.weights !== undefined');
    return await work(page);
  } finally {
    await page.close();
  }
}

async function loadForm(
  page: Page,
  address: string,
  dtype: WeightDtype,
): Promise<{ result: Loaded; peak: number }> {
  const client = await page.createCDPSession();
  const watch = watchMemory(client);
  try {
    const result = await page.evaluate(
      (...args) => window.weights.load(...args),
      address,
      dtype,
      true,
    );
    return { result, peak: await watch.stop() };
  } finally {
    await watch.stop();
  }
}

/** The most that the page's heap and array buffers take together, asked for as often as answers come. */
function watchMemory(client: CDPSession): { stop(): Promise<number> } {
  let peak = 0;
  let stopped = false;
  const running = (async () => {
    while (!stopped) {
      // `backingStorageSize` holds array buffers; older protocols leave it out, which would not do.
      const usage = (await client.send('Runtime.getHeapUsage')) as {
        usedSize: number;
        backingStorageSize?: number;
      };
      if (usage.backingStorageSize === undefined) {
        throw new Error('This browser does not tell the size of array buffers.');
      }
      peak = Math.max(peak, usage.usedSize + usage.backingStorageSize);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  return {
    stop: async () => {
      stopped = true;
      await running;
      return peak;
    },
  };
}

async function clearStorage(page: Page, origin: string): Promise<void> {
  const client = await page.createCDPSession();
  await client.send('Storage.clearDataForOrigin', { origin, storageTypes: 'all' });
  await client.detach();
}

function differences(
  exact: Explained,
  form: Explained,
): Pick<FormResult, 'probabilityChange' | 'logProbabilityChange' | 'topFive' | 'mapChange'> {
  const largest = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] as number))), 0);
  const five = (values: readonly number[]): number[] =>
    values
      .map((_, index) => index)
      .sort((a, b) => (values[b] as number) - (values[a] as number))
      .slice(0, 5);
  const top = five(exact.probabilities);
  const log = ({ probabilities }: Explained): number[] =>
    top.map((index) => Math.log(probabilities[index] as number));
  const order = five(form.probabilities);
  return {
    probabilityChange: largest(exact.probabilities, form.probabilities),
    logProbabilityChange: largest(log(exact), log(form)),
    topFive:
      order.join() === top.join()
        ? 'same order'
        : `${order.filter((index) => top.includes(index)).length} of 5 the same`,
    mapChange: largest(exact.map, form.map),
  };
}

function describe(result: FormResult): string {
  const mb = (bytes: number): string => `${(bytes / MB).toFixed(0)} MB`;
  return [
    `${result.model}, ${result.dtype}:`,
    `  load ${result.seconds.toFixed(1)} s, page peak ${mb(result.pagePeakBytes)}; from the cache ` +
      `${result.cachedSeconds.toFixed(1)} s, page peak ${mb(result.cachedPagePeakBytes)}`,
    `  GPU ${mb(result.gpuBytes)} (while loading ${mb(result.gpuPeakBytes)}, explaining ` +
      `${mb(result.explainedGpuPeakBytes)}), cache ${mb(result.cacheBytes)}` +
      `${result.notKept ? `, NOT KEPT: ${result.notKept}` : ''}`,
    `  against f32: probabilities ${result.probabilityChange.toExponential(1)}, log-probabilities of the ` +
      `top five ${result.logProbabilityChange.toExponential(1)} (${result.topFive}), map ` +
      `${result.mapChange.toExponential(1)}`,
  ].join('\n');
}
