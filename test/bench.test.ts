import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseHTML } from 'linkedom';
import { afterAll, describe, expect, it } from 'vitest';
import { batchFor } from '../bench/measure/scale';
import { giga, spreadOf } from '../bench/measure/statistics';
import { kernelsOf, repeatsFor, runsFor } from '../bench/measure/timer';
import { type BenchFile, FORMAT, type Measurement } from '../bench/measure/types';
import { parseBenchOptions } from '../bench/options';
import { readResults } from '../bench/read';
import { factOf, roofOf } from '../bench/report/facts';
import { placeLabels } from '../bench/report/labels';
import { reportPage } from '../bench/report/page';
import { launchChrome } from '../cli/hosts/chrome';
import { median } from '../cli/median';
import { serveProject } from '../cli/server';
import { shaderText } from '../src/gpu/shader_text';
import { peakKernels, textOf } from './harness/kernels';
import { problemsOf } from './harness/reflection';
import { runScript } from './harness/run-script';

describe('statistics', () => {
  it('median', () => {
    expect(median([3])).toBe(3);
    expect(median([5, 1, 3])).toBe(3);
    expect(median([4, 1, 3, 10])).toBe(3.5);
    expect(median([10, 9, 100])).toBe(10);
    expect(() => median([])).toThrow('nothing');
  });

  it('spread and rates', () => {
    expect(spreadOf([2, 8, 4])).toEqual({ median: 4, min: 2, max: 8 });
    expect(giga(3e9, 1000)).toBe(3);
    expect(giga(1, 0)).toBe(0);
  });

  it('work that is too short for the clock is repeated, what takes seconds is run less often', () => {
    expect([5, 2, 1.9, 0.5, 0].map(repeatsFor)).toEqual([1, 1, 2, 4, 64]);
    expect([10, 1501, 40_000].map((ms) => runsFor(ms, 5))).toEqual([5, 3, 1]);
    expect(runsFor(2000, 2)).toBe(2);
  });

  it('the median of each kernel, longest first; one that a run lacks took nothing there', () => {
    const runs = [
      new Map([['a', 1]]),
      new Map([
        ['a', 3],
        ['b', 9],
      ]),
      new Map([
        ['a', 2],
        ['b', 8],
      ]),
    ];
    expect(kernelsOf(runs)).toEqual({
      kernels: [
        { kernel: 'b', ms: 8 },
        { kernel: 'a', ms: 2 },
      ],
    });
  });
});

describe('batchFor', () => {
  const scale = { peak: { gflops: 1000, gbps: 100 }, maxBindingBytes: 1000, small: false };
  it.each([
    // Two milliseconds of arithmetic at the peak are 2e9 FLOP, of traffic 2e8 bytes.
    ['arithmetic', { flop: 1e9, bytes: 1, largest: 1 }, 2],
    ['rounded up', { flop: 1.9e9, bytes: 1, largest: 1 }, 2],
    ['memory', { flop: 1, bytes: 5e7, largest: 1 }, 4],
    ['what a binding holds', { flop: 1e8, bytes: 1, largest: 300 }, 3],
    ['at least one', { flop: 1e12, bytes: 1, largest: 2000 }, 1],
    ['at most 256', { flop: 1, bytes: 1, largest: 1 }, 256],
  ])('%s', (_, item, batch) => {
    expect(batchFor(scale, item)).toBe(batch);
  });
});

describe('peak kernels', () => {
  it.each(peakKernels.map((kernel) => [kernel.name, kernel] as const))('%s', (_, kernel) => {
    expect(kernel.constants).toEqual([]);
    expect(problemsOf(shaderText(textOf(kernel), {}))).toEqual([]);
  });
});

const measurement = (own: Partial<Measurement> & Pick<Measurement, 'name'>): Measurement => ({
  section: 'kernels',
  clock: 'timestamps',
  runs: [4, 2, 7],
  ...own,
});

const file: BenchFile = {
  format: FORMAT,
  date: '2026-11-24',
  clock: 'timestamps',
  runs: 3,
  machine: { cpu: 'Some <CPU>', cores: 2, runtime: 'Chrome/1', platform: 'linux x64' },
  adapter: {
    vendor: 'v',
    architecture: 'a',
    device: 'd',
    description: 'Adapter "X" & Co',
    isFallback: true,
    features: ['timestamp-query'],
    limits: {},
  },
  peak: { gflops: 10, gbps: 5 },
  stated: { gbps: 8 },
  results: [
    measurement({ name: 'kernel_a', group: 'fully connected', flop: 1.6e7, bytes: 8e6 }),
    measurement({ name: 'kernel_b', group: 'pooling', flop: 4e6, bytes: 1.6e7 }),
    measurement({ section: 'first layer', name: 'plain, naive', batch: 2, flop: 1e6, bytes: 1e6 }),
    measurement({ section: 'first layer', name: 'mask fused, naive', flop: 1e6, bytes: 1e6 }),
    measurement({ section: 'layers', name: 'conv1_1', flop: 1e9, bytes: 1e6, asDirect: true }),
    measurement({ section: 'ladder', group: 'g', name: '1 naive', flop: 1e6, note: 'the <idea>' }),
    measurement({ section: 'ladder', group: 'g', name: '2 better', flop: 1e6, runs: [1, 1, 2] }),
    measurement({ section: 'whole', name: 'forward pass', clock: 'wall clock', runs: [123.4] }),
    measurement({
      section: 'whole',
      name: 'forward pass, on the GPU',
      kernels: [
        { kernel: 'winograd_product', ms: 3 },
        { kernel: 'other', ms: 1 },
      ],
    }),
    ...['as the library does it', 'nothing skipped'].map((how, i) =>
      measurement({
        section: 'whole',
        group: 'scenes',
        name: `full explanation, ${how}`,
        clock: 'wall clock',
        batch: 64,
        runs: [600 + 300 * i],
      }),
    ),
  ],
  skipping: { applied: true, reached: 0.75, layers: [{ layer: 'conv1_1', reached: 0.375 }] },
  peers: {
    results: [
      {
        name: 'score-cam-webgpu',
        version: '1',
        backend: 'webgpu',
        runs: [5],
        relativeDifference: 0,
      },
      { name: 'Peer', version: '2', backend: 'wasm', runs: [55], relativeDifference: 1.5e-6 },
      {
        name: 'Broken',
        version: '3',
        backend: 'webgpu',
        runs: [],
        relativeDifference: null,
        error: 'no adapter',
      },
    ],
  },
};

describe('facts', () => {
  it('the data sheet overrides what was measured, one figure at a time', () => {
    expect(roofOf(file)).toEqual({ gflops: 10, gbps: 8 });
    expect(roofOf({ peak: file.peak })).toEqual(file.peak);
  });

  it('rates and the share of the roof', () => {
    const fact = factOf(file.results[0] as Measurement, roofOf(file));
    // 4 ms: 4 GFLOP/s and 2 GB/s; arithmetic at its peak would take 1.6 ms, traffic 1 ms.
    expect(fact.gflops).toBeCloseTo(4);
    expect(fact.gbps).toBeCloseTo(2);
    expect(fact.intensity).toBe(2);
    expect(fact.share).toBeCloseTo(0.4);
  });

  it('a rate of operations that were not all done has no share', () => {
    const winograd = measurement({ name: 'w', flop: 1e9, bytes: 1e6, asDirect: true });
    expect(factOf(winograd, file.peak).share).toBeUndefined();
  });
});

describe('labels of the roofline', () => {
  it('lie over no other label and no other dot', () => {
    const points = Array.from({ length: 40 }, (_, i) => ({
      x: 200 + ((i * 37) % 90),
      y: 150 + ((i * 53) % 60),
      text: `kernel ${i}`,
    }));
    const labels = placeLabels(points, { width: 900, height: 500, fontSize: 11, dot: 4 });
    expect(labels.length).toBe(40);
    const boxes = labels.map(({ edge, anchor, middle, text }) => {
      const width = text.length * 0.6 * 11;
      const left = anchor === 'start' ? edge : edge - width;
      return { left, right: left + width, top: middle - 6.5, bottom: middle + 6.5 };
    });
    boxes.forEach((a, i) => {
      for (const b of boxes.slice(i + 1)) {
        expect(
          a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top,
        ).toBe(true);
      }
    });
  });
});

describe('the report', () => {
  const { document } = parseHTML('<html><body></body></html>');
  const html = reportPage(file, document);
  const page = parseHTML(html).document;
  const text = page.body.textContent.replace(/\s+/g, ' ');

  it('is one page that refers to nothing outside', () => {
    expect(html.startsWith('<!doctype html>')).toBe(true);
    expect(page.querySelectorAll('script, link, img, iframe').length).toBe(0);
    const addresses = html
      .replaceAll(/xmlns(:\w+)?="[^"]*"/g, '')
      .match(/https?:|url\((?!#)|@import|src=/g);
    expect(addresses).toBeNull();
  });

  it('is well-formed: every element that is opened is closed', () => {
    const open: string[] = [];
    const tags = html
      .replace(/<style>[\s\S]*?<\/style>/g, '')
      .matchAll(/<(\/?)([a-z][\w-]*)[^>]*?(\/?)>/gi);
    for (const [, closing, name = '', selfClosing] of tags) {
      if (selfClosing || /^(meta|br|hr)$/.test(name)) continue;
      if (!closing) open.push(name);
      else expect(open.pop()).toBe(name);
    }
    expect(open).toEqual([]);
  });

  it('holds the figures', () => {
    const sections = [...page.querySelectorAll('h2')].map((heading) => heading.textContent);
    expect(sections).toEqual([
      'Roofline',
      'VGG-16, layer by layer',
      'Where the time goes, kernel by kernel',
      'The first layer, plain and with the mask fused in',
      'Exact skipping',
      'The ladder',
      'Beside other libraries',
      'Everything',
    ]);
    for (const figure of [
      '123 ms', // forward pass
      '250 GFLOP/s*', // conv1_1, 1 GFLOP in 4 ms
      '75 %, 3.00 ms', // winograd_product's share
      'x 4.00', // the ladder's gain, 4 ms to 1 ms
      '1.50 times as long', // 900 ms against 600
      '38 %', // reached of conv1_1
      '11.0 times as long', // 55 ms against 5
      'no adapter',
      '1.5e-6',
      '8.00 GB/s', // the data sheet's
    ]) {
      expect(text).toContain(figure);
    }
    const row = [...page.querySelectorAll('tr')].find((tr) => tr.textContent.includes('kernel_a'));
    expect(row?.textContent).toContain('2.00');
  });

  it('escapes what it is given', () => {
    expect(page.querySelector('h1')?.textContent).toBe(
      'score-cam-webgpu on Adapter "X" & Co (software)',
    );
    expect(text).toContain('Some <CPU>');
    expect(text).toContain('the <idea>');
  });

  it('says every plot in words and has its figures in a table', () => {
    const figures = [...page.querySelectorAll('figure')];
    expect(figures.length).toBeGreaterThan(6);
    for (const figure of figures) {
      expect(
        figure.querySelector('[role=img]')?.getAttribute('aria-label')?.length,
      ).toBeGreaterThan(20);
      expect(figure.querySelector('svg')).not.toBeNull();
      expect(figure.querySelectorAll('details table tbody tr').length).toBeGreaterThan(0);
    }
  });

  it('leaves out what was not measured', () => {
    const { skipping: _, peers: __, ...rest } = file;
    const only = { ...rest, results: file.results.slice(0, 1) };
    const headings = [...parseHTML(reportPage(only, document)).document.querySelectorAll('h2')];
    expect(headings.map((heading) => heading.textContent)).toEqual(['Roofline', 'Everything']);
  });
});

describe('options', () => {
  const raw = { runs: '5' };
  it('are parsed', () => {
    expect(parseBenchOptions({ ...raw, peakGflops: '67000', ladder: true })).toMatchObject({
      runs: 5,
      ladder: true,
      stated: { gflops: 67000 },
    });
  });

  it.each([
    [{ runs: '0' }, /--runs "0".*from 1 to 1000/],
    [{ runs: '2.5' }, /--runs "2.5".*whole number/],
    [{ ...raw, peakGflops: '-1' }, /--peak-gflops "-1".*above 0/],
    [{ ...raw, peakGbps: 'fast' }, /--peak-gbps "fast".*above 0/],
    [{ ...raw, out: ' ' }, /--out is empty/],
    [{ ...raw, adapter: '' }, /--adapter is empty/],
  ])('%j is refused', (options, message) => {
    expect(() => parseBenchOptions(options)).toThrow(message);
  });

  it.each([
    [['--runs', 'x'], '--runs "x"'],
    [['--bundle', 'out'], '--bundle matters with --dawn only'],
    [['--adapter', 'X'], '--adapter matters with --dawn only'],
    [['--weights', '--ladder'], '--ladder and --weights'],
    [['--networks', '--peers'], '--peers and --networks'],
    [['--nonsense'], '--nonsense'],
  ])('%j ends with one line and exit code 2', async (args, message) => {
    const { code, stderr } = await runScript('bench/bench.ts', args);
    expect(stderr).toContain(message);
    expect(stderr.trim().split('\n').length).toBe(1);
    expect(code).toBe(2);
  });
});

describe('results that are read again', () => {
  const folder = mkdtempSync(join(tmpdir(), 'score-cam-bench-test-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const written = (name: string, value: object): string => {
    const path = join(folder, name);
    writeFileSync(path, JSON.stringify(value));
    return path;
  };

  it('takes from further files what the first has not', () => {
    const { peers, ...rest } = file;
    const merged = readResults([
      written('a.json', rest),
      written('b.json', { date: 'other', peers }),
    ]);
    expect(merged).toEqual(file);
  });

  it('refuses other files', () => {
    expect(() => readResults([written('c.json', { results: [] })])).toThrow(/format "undefined"/);
    expect(() => readResults([join(folder, 'none.json')])).toThrow(/none.json cannot be read/);
  });
});

describe('the page', () => {
  it("runs on the visitor's GPU, shows each result, and can be stopped", async () => {
    const { url, close } = await serveProject([], { packages: ['@observablehq/plot'] });
    // One of its own: a page behind those of other tests draws no frames.
    const browser = await launchChrome();
    const page = await browser.newPage();
    try {
      const problems: unknown[] = [];
      page.on('pageerror', (error) => problems.push(error));
      const patient = { timeout: 0 };
      await page.goto(`${url}/bench/`, patient);
      await page.waitForSelector('#run:enabled', patient);
      await page.$eval('#runs', (input) => {
        (input as HTMLInputElement).value = '1';
      });
      await page.click('#run');
      await page.waitForSelector('#rows tr:nth-child(2)', patient);
      const cells = await page.$$eval('#rows tr:first-child > *', (all) =>
        all.map(({ textContent }) => textContent),
      );
      expect(cells[0]).toBe('empty dispatch');
      expect(Number(cells[1])).toBeGreaterThan(0);
      await page.click('#stop');
      await page.waitForFunction(
        () => document.querySelector('#status')?.textContent === 'Stopped.',
        patient,
      );
      expect(await page.$eval('#report', (frame) => (frame as HTMLElement).hidden)).toBe(true);
      expect(problems).toEqual([]);
    } finally {
      await page.close();
      await browser.close();
      await close();
    }
  });
});
