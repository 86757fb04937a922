/**
 * The built package in pages of one's own, under a strict Content-Security-Policy: the one files, the ES build, what
 * bundlers make of it, a worker, and the element.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'puppeteer';
import { parseAst } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChrome } from '../cli/hosts/chrome';
import { projectRoot } from '../cli/server';
import { ELEMENT_FILE, SINGLE_FILE } from '../vite/build';
import { CORE, staticFiles } from '../vite/sizes';
import { bundlerCases } from './embed/bundlers';
import { elementCases } from './embed/element';
import { hears, htmlOf, inside, openSite, type Site } from './embed/site';
import { workerCases } from './embed/worker';
import { builtPackage } from './harness/built-package';

describe('a build', () => {
  let dist: string;
  let site: Site;
  let browser: Browser;

  beforeAll(async () => {
    dist = await builtPackage();
    site = await openSite(dist);
    // One of its own: in that of all tests its pages are behind others', and what nobody sees is not explained.
    browser = await launchChrome();
  });

  afterAll(async () => {
    await browser?.close();
    site?.close();
  });

  it.each([SINGLE_FILE, ELEMENT_FILE])('%s imports nothing and evaluates no text', (file) => {
    expect(readdirSync(dist)).toContain(file);
    const code = readFileSync(join(dist, file), 'utf8');
    const kinds = parseAst(code).body.map((node) => node.type);
    expect(kinds).not.toContain('ImportDeclaration');
    expect(kinds).not.toContain('ExportAllDeclaration');
    expect(code).not.toMatch(/\bimport\s*\(|\brequire\s*\(|\beval\s*\(|\bnew Function\b/);
    expect(code).not.toMatch(/createObjectURL/);
  });

  it('in one file explains an image through the API', async () => {
    const script = site.put(
      'api.js',
      `import { createExplainer } from '/dist/${SINGLE_FILE}';
      const explainer = await createExplainer({ model: '/weights/scenes-vgg16/manifest.json' });
      const explanation = await explainer.explain('/weights/scenes-vgg16/sample.png');
      await explanation.draw(document.querySelector('canvas'));
      document.title = explanation.class.label;
      explainer.dispose();`,
    );
    const html = htmlOf(`<script type="module" src="${script}"></script>`, '<canvas></canvas>');
    const { page, problems } = await site.open(browser, html);
    try {
      await page.waitForFunction(() => document.title !== 'A page', { timeout: 0, polling: 100 });
      expect(await page.title()).toBe('arrow');
      const canvas = await page.$eval('canvas', (element) => {
        const { width, height } = element;
        const pixels = element.getContext('2d')?.getImageData(0, 0, width, height).data ?? [];
        return {
          width,
          height,
          colours: new Set(new Uint32Array(Uint8Array.from(pixels).buffer)).size,
        };
      });
      expect(canvas).toMatchObject({ width: 224, height: 224 });
      expect(canvas.colours).toBeGreaterThan(100);
      expect(problems).toEqual([]);
    } finally {
      await page.close();
    }
  });

  it('explains in demo/embed.html as it is, by a script tag and the element', async () => {
    const example = readFileSync(join(projectRoot, 'demo/embed.html'), 'utf8');
    expect(example.match(/<script/g)).toHaveLength(1);
    const { page, problems } = await site.open(browser, '/demo/embed.html');
    try {
      await hears(page, 'explain');
      expect(await page.$$(inside('.class'))).toHaveLength(5);
      expect(problems).toEqual([]);
    } finally {
      await page.close();
    }
  });

  it('in modules fetches what explains, what this device computes by, and what measures as each is asked for', async () => {
    const { page } = await site.open(browser, htmlOf('', ''));
    try {
      const scripts: string[] = [];
      page.on('request', (request) => {
        const { pathname } = new URL(request.url());
        if (pathname.endsWith('.js')) scripts.push(pathname.replace('/dist/', ''));
      });
      // As text: what stands here as code is rewritten by the test runner, import() too.
      await page.evaluate(`(async () => {
        const { createExplainer } = await import('/dist/index.js');
        const explainer = await createExplainer({ model: '/weights/scenes-vgg16/manifest.json' });
        const image = '/weights/scenes-vgg16/sample.png';
        const explanation = await explainer.explain(image, { method: 'grad-cam' });
        await explainer.explain(image, { method: 'score-cam', channels: [0, 1] });
        globalThis.measured = () => explainer.measure(explanation);
      })()`);
      const before = [...scripts];
      // What vite/sizes.ts counts, with the shaders of a software adapter instead of a GPU's.
      const onDemand = CORE.filter((name) => !name.includes('shaders'));
      const shaders = ['registers', 'quads'].map((tiling) => `chunks/shaders-${tiling}.js`);
      const expected = staticFiles(dist, ['index.js', ...onDemand, ...shaders]);
      // The manifest states a checksum, and the image is a file.
      const others = staticFiles(dist, ['chunks/verified-source.js', 'chunks/decode.js']);
      const all = new Set([...expected, ...others]);
      expect([...new Set(before)].sort()).toEqual([...all].sort());
      const { sparsity, passes } = (await page.evaluate('measured()')) as {
        sparsity: number;
        passes: number;
      };
      expect(sparsity).toBeGreaterThan(1);
      expect(passes).toBeGreaterThan(0);
      expect(scripts.slice(before.length)).toContain('chunks/measure.js');
    } finally {
      await page.close();
    }
  });

  workerCases(() => ({ site, browser }));

  describe('<score-cam>', () => elementCases(() => ({ site, browser })));

  describe('in a bundle', () => bundlerCases(() => ({ site, browser, dist })));
});
