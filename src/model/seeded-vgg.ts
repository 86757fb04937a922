import { parseManifest, type SequentialManifest } from './manifest';
import { buildNetwork, type Network } from './network';
import { seededWeights } from './seeded';
import { type VggDepth, vggManifest } from './vgg';
import type { WeightSource } from './weight-source';

/** Manifest of a full-size VGG with generated weights and 1000 numbered classes. */
export function seededManifest(depth: VggDepth, seed: number): SequentialManifest {
  const name = `vgg${depth}-seeded-${seed}`;
  const raw = vggManifest({
    depth,
    name,
    description: `Full-size VGG-${depth} with weights generated from seed ${seed}: for tests and timing.`,
    licence: 'MIT',
    labels: Array.from({ length: 1000 }, (_, index) => `class ${index}`),
    weights: { format: 'seeded', seed },
  });
  return parseManifest(raw, name);
}

/** That VGG with its network and weights. */
export function seededVgg(
  depth: VggDepth,
  seed: number,
): {
  readonly manifest: SequentialManifest;
  readonly network: Network;
  readonly weights: WeightSource;
} {
  const manifest = seededManifest(depth, seed);
  const network = buildNetwork(manifest);
  return { manifest, network, weights: seededWeights(network, seed) };
}
