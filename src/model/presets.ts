import type { Manifest } from './manifest';

const DEPTHS = [11, 13, 16, 19] as const;
const KERAS_DEPTHS = [16, 19] as const;

/** Names of ImageNet's networks. */
export const PRESETS: readonly string[] = [
  ...DEPTHS.map((depth) => `vgg${depth}`),
  ...DEPTHS.map((depth) => `vgg${depth}_bn`),
  ...KERAS_DEPTHS.map((depth) => `vgg${depth}-keras`),
  'mobilenet-v1-025',
  'mobilenet-v1-050',
  'mobilenet-v1-075',
  'mobilenet-v1-100',
  'resnet18',
  'resnet34',
  'resnet50',
  'mobilenet_v2',
  'squeezenet1_1',
  'densenet121',
];

/**
 * The manifest of a preset: architecture, preprocessing, ImageNet's labels, and where the weights are. Code and
 * labels are fetched when the first preset is asked for.
 * @returns undefined where there is no preset of that name.
 */
export async function loadPreset(name: string): Promise<Manifest | undefined> {
  if (!PRESETS.includes(name)) return undefined;
  return (await import('./preset-manifests')).presetManifest(name);
}
