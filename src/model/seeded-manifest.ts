import { isArchitecture } from './architectures/architectures';
import { seededArchitecture } from './architectures/manifests';
import type { Manifest } from './manifest';
import { seededManifest } from './seeded-vgg';
import type { VggDepth } from './vgg';

/** The manifest of `vgg16-seeded-1`, `resnet18-seeded-1` and so on; undefined for any other name. */
export function seededManifestOf(name: string): Manifest | undefined {
  const [, network = '', digits] = /^(\w+)-seeded-(\d{1,10})$/.exec(name) ?? [];
  const seed = Number(digits);
  const depth = /^vgg(11|13|16|19)$/.exec(network)?.[1];
  if (depth) return seededManifest(Number(depth) as VggDepth, seed);
  return isArchitecture(network) && seed < 2 ** 32 ? seededArchitecture(network, seed) : undefined;
}
