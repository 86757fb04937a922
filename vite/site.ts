import { cpSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Rollup } from 'vite';
import { projectRoot } from '../cli/server';
import { baseConfig } from './base';
import { DOCUMENTATION_PAGES, documentation } from './documentation';
import { shaderChunk } from './wgsl';

const DEMO = join(projectRoot, 'demo');

/** The network and the sample that the site opens with, beside its pages. */
const EMBEDDED = join('weights', 'scenes-vgg16');

/** Whether a folder holds something that is no site of {@link buildSite}, and that a build would mix with. */
export function isOccupied(folder: string): boolean {
  if (!existsSync(folder) || readdirSync(folder).length === 0) return false;
  return !existsSync(join(folder, DOCUMENTATION_PAGES.en));
}

/**
 * Builds the site into `folder`, which is emptied first: files for any host, under any path, since all addresses are
 * relative. Nothing in it is inline, so that it runs under `Content-Security-Policy: default-src 'self'`.
 */
export async function buildSite(folder: string): Promise<void> {
  const base = baseConfig(DEMO);
  await build({
    ...base,
    base: './',
    plugins: [...base.plugins, documentation()],
    publicDir: false,
    build: {
      outDir: folder,
      emptyOutDir: true,
      target: 'es2022',
      // What is inlined would be a data: address.
      assetsInlineLimit: 0,
      rollupOptions: {
        input: ['index.html', ...Object.values(DOCUMENTATION_PAGES)].map((page) =>
          join(DEMO, page),
        ),
        output: {
          onlyExplicitManualChunks: true,
          manualChunks: (id, { getModuleInfo }) =>
            shaderChunk(id, (of) => getModuleInfo(of) as Rollup.ModuleInfo),
        },
      },
    },
  });
  cpSync(join(projectRoot, EMBEDDED), join(folder, EMBEDDED), { recursive: true });
}
