/** What must be known of the way back before the forward pass; backward.ts, which goes it, comes when it is gone. */
import { IMAGE, type Layer, type Network, targetIndex } from '../model/network';
import type { Plan } from '../plan/compile';
import type { GraphKit } from './graph-kit';

/**
 * Layers whose outputs the way back from the logits to the earliest of `targets` reads: activations, for
 * their sign, and what is max pooled, for where its maxima are. The last layer's output is the logits.
 */
export function layersToKeep({ network, options }: Plan, targets: readonly string[]): string[] {
  const graph = options.graph as GraphKit | undefined;
  if (graph) return graph.layersToKeep(network, targets);
  const { layers } = network;
  const first = earliest(network, targets);
  const last = layers.length - 1;
  return layers.flatMap(({ name }, i) => {
    const pooled = i >= first && i < last && layers[i + 1]?.type === 'maxpool';
    const bent = i > first && i < last && activationOf(layers[i] as Layer) !== 1;
    return pooled || bent ? [name] : [];
  });
}

/** Index of the target layer that comes first; of the image, -1. */
export function earliest(network: Network, targets: readonly string[]): number {
  return Math.min(...targets.map((name) => (name === IMAGE ? -1 : targetIndex(network, name))));
}

/** Of the layer's activation; poolings have none. */
export function activationOf(layer: Layer): number {
  return 'activation' in layer ? layer.activation : 1;
}
