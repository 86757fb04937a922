import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../cli/server';
import { buildScript } from '../../vite/script';

/**
 * Builds `folder`/bench.mjs, with the model and the image that it measures beside it: carried to a machine that
 * has Node and a dawn.node, it runs there.
 */
export async function bundle(folder: string): Promise<string> {
  const file = await buildScript('bench/dawn/main.ts', folder, 'bench.mjs');
  for (const name of ['manifest.json', 'model.safetensors', 'sample.png']) {
    cpSync(join(projectRoot, 'weights/scenes-vgg16', name), join(folder, 'scenes-vgg16', name));
  }
  return file;
}
