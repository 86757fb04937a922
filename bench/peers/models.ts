import { mobilenetV1 } from '../../src/model/architectures/mobilenet-v1';
import type { Manifest } from '../../src/model/manifest';
import { seededManifestOf } from '../../src/model/seeded-manifest';

/** The network of most presets that have no weights of their own. */
export const VGG = 'vgg16-seeded-1';

/** Those with branches or depthwise convolutions that are compared. The first is explained with as well. */
export const NETWORKS = [
  'mobilenet-v1-025-seeded-1',
  'mobilenet-v1-100-seeded-1',
  'resnet18-seeded-1',
] as const;

/** A network with generated weights: those the library knows by name, and MobileNet v1, which it has trained alone. */
export function seededModel(name: string): Manifest {
  const [, preset = '', seed] = /^(.+)-seeded-(\d+)$/.exec(name) ?? [];
  const mobilenet = mobilenetV1(preset);
  const manifest = mobilenet
    ? { ...mobilenet, name, weights: { format: 'seeded' as const, seed: Number(seed) } }
    : seededManifestOf(name);
  if (!manifest) throw new Error(`There is no network "${name}" with generated weights.`);
  return manifest;
}
