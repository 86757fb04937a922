/** The builds in a page of one's own, under a strict CSP: the one file in demo/embed.html as it is, the ES build. */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import puppeteer, { type Browser } from 'puppeteer';
import { parseAst } from 'vite';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { projectRoot } from '../cli/server';
import { buildModules, buildSingleFile, SINGLE_FILE } from '../vite/build';
import { CORE, staticFiles } from '../vite/sizes';

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.png': 'image/png',
};

describe('a build', () => {
  const dist = mkdtempSync(join(tmpdir(), 'score-cam-build-'));
  /** Of the ES build. */
  const modules = join(dist, 'modules');
  const example = readFileSync(join(projectRoot, 'demo/embed.html'), 'utf8');
  let server: Server;
  let browser: Browser;
  let origin: string;

  beforeAll(async () => {
    await buildSingleFile(dist);
    await buildModules(modules);
    // No inline script may run but the example's own, no eval, nothing from elsewhere.
    const [, script = ''] = /<script type="module">([\s\S]*)<\/script>/.exec(example) ?? [];
    const hash = createHash('sha256').update(script).digest('base64');
    const policy = `default-src 'none'; script-src 'self' 'sha256-${hash}'; connect-src 'self'; img-src data:`;
    server = createServer((request, response) => {
      const path = decodeURIComponent(request.url ?? '');
      const file = path.startsWith('/dist/')
        ? join(dist, path.slice('/dist/'.length))
        : join(projectRoot, path);
      if (!/^\/(dist|demo|weights)\/[\w/.-]+$/.test(path) || !existsSync(file)) {
        response.writeHead(404).end();
        return;
      }
      response.setHeader('content-security-policy', policy);
      response.setHeader('content-type', TYPES[extname(file)] ?? 'application/octet-stream');
      response.end(readFileSync(file));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    browser = await puppeteer.connect({
      browserWSEndpoint: inject('browserEndpoint'),
      protocolTimeout: 0,
    });
  });

  afterAll(async () => {
    await browser?.disconnect();
    server?.close();
    rmSync(dist, { recursive: true, force: true });
  });

  it('in one file is an ES module that imports nothing and evaluates no text', () => {
    const scripts = readdirSync(dist).filter((name) => name.endsWith('.js'));
    expect(scripts).toEqual([SINGLE_FILE]);
    const code = readFileSync(join(dist, SINGLE_FILE), 'utf8');
    const kinds = parseAst(code).body.map((node) => node.type);
    expect(kinds).not.toContain('ImportDeclaration');
    expect(kinds).not.toContain('ExportAllDeclaration');
    expect(code).not.toMatch(/\bimport\s*\(|\brequire\s*\(|\beval\s*\(|\bnew Function\b/);
  });

  it('in one file explains an image in a page with a single script tag', async () => {
    expect(example.match(/<script/g)).toHaveLength(1);
    const page = await browser.newPage();
    try {
      const problems: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error') problems.push(message.text());
      });
      const ended = new Promise<never>((_, reject) => page.on('pageerror', reject));
      const explained = page.waitForFunction(
        (initial) => document.title !== initial,
        { timeout: 0 },
        /<title>(.*)<\/title>/.exec(example)?.[1],
      );
      await page.goto(`${origin}/demo/embed.html`);
      await Promise.race([explained, ended]);
      expect(problems).toEqual([]);

      const { labels } = JSON.parse(
        readFileSync(join(projectRoot, 'weights/scenes-vgg16/manifest.json'), 'utf8'),
      ) as { labels: string[] };
      expect(labels).toContain(await page.title());
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
    } finally {
      await page.close();
    }
  });

  it('in modules fetches what explains, what this device computes by, and what measures as each is asked for', async () => {
    const page = await browser.newPage();
    try {
      const scripts: string[] = [];
      page.on('request', (request) => {
        const { pathname } = new URL(request.url());
        if (pathname.endsWith('.js')) scripts.push(pathname.replace('/dist/modules/', ''));
      });
      await page.goto(`${origin}/weights/scenes-vgg16/manifest.json`);
      // As text: what stands here as code is rewritten by the test runner, import() too.
      await page.evaluate(`(async () => {
        const { createExplainer } = await import('/dist/modules/index.js');
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
      const expected = staticFiles(modules, ['index.js', ...onDemand, ...shaders]);
      // The manifest states a checksum, and the image is a file.
      const others = staticFiles(modules, ['chunks/verified-source.js', 'chunks/decode.js']);
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
});
