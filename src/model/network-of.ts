import type { Manifest } from './manifest';
import { buildNetwork, type Network } from './network';

/**
 * The network of a manifest of any version, with all shapes worked out.
 * @throws ScoreCamError `network` naming the layer where something does not fit
 */
export async function networkOf(manifest: Manifest): Promise<Network> {
  return manifest.version === 1
    ? buildNetwork(manifest)
    : (await import('./graph/network')).buildGraph(manifest);
}
