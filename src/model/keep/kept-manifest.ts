import { type Manifest, readManifest } from '../manifest';
import type { WeightCache } from './cache';
import { cacheKey } from './kept-model';

/** Keeps a manifest beside the weights it names, so that they can be used without the network. */
export async function keepManifest(
  cache: WeightCache,
  address: string,
  manifest: Manifest,
): Promise<void> {
  try {
    await cache.put(keyOf(address), new Response(JSON.stringify(manifest)));
  } catch {
    // A cache that fails loses the copy and never the load.
  }
}

/** The manifest that was kept for this URL; undefined if there is none that can be used. */
export async function keptManifest(
  cache: WeightCache,
  address: string,
): Promise<Manifest | undefined> {
  try {
    const response = await cache.match(keyOf(address));
    return response && (await readManifest(await response.json()));
  } catch {
    return undefined; // What cannot be read is not kept.
  }
}

function keyOf(address: string): string {
  return cacheKey(address, 'manifest');
}
