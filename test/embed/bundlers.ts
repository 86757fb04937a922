import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build as esbuild } from 'esbuild';
import type { Browser } from 'puppeteer';
import { build as vite } from 'vite';
import { expect, it } from 'vitest';
import { projectRoot } from '../../cli/server';
import { hears, htmlOf, SAMPLE, type Site } from './site';

/** A page's own module: the element with a model that the page serves. */
const MAIN = `import 'score-cam-webgpu/element';
document.querySelector('main').innerHTML = '<score-cam controls loading="eager" method="grad-cam" ' +
  'model="/weights/scenes-vgg16/manifest.json"><img src="${SAMPLE}" alt="A drawn scene"></score-cam>';
`;

/** A project with the package installed, as npm has it: package.json and the build. */
function projectWith(dist: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'score-cam-bundle-'));
  const installed = join(folder, 'node_modules/score-cam-webgpu');
  mkdirSync(installed, { recursive: true });
  cpSync(join(projectRoot, 'package.json'), join(installed, 'package.json'));
  // No link: what package.json says of side effects goes by the place of the files.
  cpSync(dist, join(installed, 'dist'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'main.js'), MAIN);
  writeFileSync(
    join(folder, 'index.html'),
    htmlOf('<script type="module" src="/main.js"></script>', '').replace(/<link[^>]*>/, ''),
  );
  return folder;
}

export function bundlerCases(
  at: () => { readonly site: Site; readonly browser: Browser; readonly dist: string },
): void {
  it('of Vite, as it is set up from the start, brings the worker along', async () => {
    const { site, browser, dist } = at();
    const folder = projectWith(dist);
    try {
      await vite({
        root: folder,
        configFile: false,
        logLevel: 'error',
        base: '/of-vite/',
        build: { outDir: 'out' },
      });
      site.mount('of-vite', join(folder, 'out'));
      const { page, problems } = await site.open(browser, '/of-vite/index.html');
      try {
        await hears(page, 'explain');
        expect(page.workers().map((worker) => new URL(worker.url()).pathname)).toEqual([
          expect.stringMatching(/^\/of-vite\/assets\/score-cam-webgpu-[\w-]+\.js$/),
        ]);
        expect(problems.filter((problem) => !problem.includes('404'))).toEqual([]);
      } finally {
        await page.close();
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('of esbuild works on the page, and in a worker whose address it is given', async () => {
    const { site, browser, dist } = at();
    const folder = projectWith(dist);
    try {
      const given = `import { ScoreCamElement } from 'score-cam-webgpu/element';
        if (location.search) ScoreCamElement.worker = '/dist/score-cam-webgpu.js';`;
      writeFileSync(join(folder, 'main.js'), `${given}\n${MAIN}`);
      await esbuild({
        absWorkingDir: folder,
        entryPoints: ['main.js'],
        bundle: true,
        splitting: true,
        format: 'esm',
        outdir: 'out',
        logLevel: 'error',
      });
      site.mount('of-esbuild', join(folder, 'out'));
      const path = site.put(
        'of-esbuild.html',
        htmlOf('<script type="module" src="/of-esbuild/main.js"></script>', ''),
      );
      for (const [query, workers] of [
        ['', 0],
        ['?worker', 1],
      ] as const) {
        const { page, problems } = await site.open(browser, `${path}${query}`);
        try {
          await hears(page, 'explain');
          expect(page.workers()).toHaveLength(workers);
          // The worker that it looked for in vain.
          expect(problems.filter((problem) => !problem.includes('404'))).toEqual([]);
        } finally {
          await page.close();
        }
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
