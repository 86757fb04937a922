import { join } from 'node:path';
import { projectRoot } from '../cli/server';
import { baseConfig } from './base';

/**
 * Builds a script of the project into one file for Node or Deno, packages and what is imported on demand included,
 * since there may be nothing else where it runs.
 * @param entry from the project's folder on, such as `bench/dawn/main.ts`
 * @returns the file's path
 */
export async function buildScript(entry: string, folder: string, name: string): Promise<string> {
  const { build } = await import('vite');
  await build({
    ...baseConfig(projectRoot),
    publicDir: false,
    ssr: { noExternal: true, external: [] },
    build: {
      ssr: entry,
      outDir: folder,
      emptyOutDir: false,
      target: 'node20',
      minify: false,
      rollupOptions: {
        output: { format: 'es', entryFileNames: name, inlineDynamicImports: true },
      },
    },
  });
  return join(folder, name);
}
