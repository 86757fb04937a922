import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../cli/server';
import { baseConfig } from '../../vite/base';

/**
 * Builds `folder`/bench.mjs, with the model and the image that it measures beside it: carried to a machine that
 * has Node and a dawn.node, it runs there.
 */
export async function bundle(folder: string): Promise<string> {
  const { build } = await import('vite');
  await build({
    ...baseConfig(projectRoot),
    publicDir: false,
    // Packages too: there may be none where it goes.
    ssr: { noExternal: true, external: [] },
    build: {
      ssr: 'bench/dawn/main.ts',
      outDir: folder,
      emptyOutDir: false,
      target: 'node20',
      minify: false,
      // One file: what the library loads on demand comes with it.
      rollupOptions: {
        output: { format: 'es', entryFileNames: 'bench.mjs', inlineDynamicImports: true },
      },
    },
  });
  for (const file of ['manifest.json', 'model.safetensors', 'sample.png']) {
    cpSync(join(projectRoot, 'weights/scenes-vgg16', file), join(folder, 'scenes-vgg16', file));
  }
  return join(folder, 'bench.mjs');
}
