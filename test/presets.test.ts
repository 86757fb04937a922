import { readFileSync } from 'node:fs';
import { describe, expect, inject, it } from 'vitest';
import { storedBytes, storedTensors } from '../src/model/encoding';
import { IMAGENET_LABELS } from '../src/model/imagenet-labels';
import { readManifest } from '../src/model/manifest';
import { networkOf } from '../src/model/network-of';
import { presetManifest } from '../src/model/preset-manifests';
import { PRESETS } from '../src/model/presets';
import { elementCount } from '../src/model/weight-source';

const manifestOf = (name: string) => {
  const manifest = presetManifest(name);
  if (!manifest) throw new Error(`no preset ${name}`);
  return manifest;
};

describe('presets', () => {
  it.each(PRESETS)('%s is a valid manifest of a network with 1000 classes', async (name) => {
    const manifest = manifestOf(name);
    expect(await readManifest(JSON.parse(JSON.stringify(manifest)))).toEqual(manifest);
    const network = await networkOf(manifest);
    expect(network.layers.at(-1)?.output.channels).toBe(1000);
    expect(manifest.labels).toHaveLength(1000);
  });

  // Parameters as torchvision's documentation counts them (those of batch normalisation are folded away).
  it.each([
    ['vgg11', 132_863_336],
    ['vgg13', 133_047_848],
    ['vgg16', 138_357_544],
    ['vgg19', 143_667_240],
    ['vgg16_bn', 138_357_544],
    ['vgg16-keras', 138_357_544],
  ])('%s has %i parameters', async (name, parameters) => {
    const tensors = storedTensors(await networkOf(manifestOf(name)), 'f32');
    expect(tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0)).toBe(parameters);
  });

  it('take the space that the documentation says', async () => {
    const network = await networkOf(manifestOf('vgg16'));
    expect(Math.round(storedBytes(network, 'f32') / 1e6)).toBe(553);
    expect(Math.round(storedBytes(network, 'f16') / 1e6)).toBe(277);
    expect(Math.round(storedBytes(network, 'int8') / 1e6)).toBe(153);
  });

  it('knows no other names', () => {
    for (const name of ['vgg12', 'vgg16-BN', 'vgg11-keras', 'resnet101', '']) {
      expect(presetManifest(name)).toBeUndefined();
    }
  });

  it('Keras: the preprocessing is BGR minus the mean, in our terms', () => {
    const { input, weights } = manifestOf('vgg16-keras');
    // (rgb / 255 - mean) / std of pure red, 255 0 0: 255 - 123.68, -116.779, -103.939.
    const red = [1, 0, 0].map(
      (value, c) => (value - (input.mean[c] as number)) / (input.std[c] as number),
    );
    expect(red[0]).toBeCloseTo(131.32, 10);
    expect(red[1]).toBeCloseTo(-116.779, 10);
    expect(red[2]).toBeCloseTo(-103.939, 10);
    expect(weights).toMatchObject({ channelOrder: 'bgr' });
  });
});

describe('ImageNet labels', () => {
  const shared = inject('sharedFolder');

  it('are 1000 different names', () => {
    // Upper case tells the cardigan that is worn from the Cardigan that barks.
    expect(new Set(IMAGENET_LABELS).size).toBe(1000);
  });

  it.skipIf(!shared)('are the published ones, in their order', () => {
    const published = JSON.parse(
      readFileSync(`${shared}/imagenet/imagenet_class_index.json`, 'utf8'),
    ) as Record<string, [string, string]>;
    const differing = IMAGENET_LABELS.flatMap((label, index) => {
      const name = published[index]?.[1].replaceAll('_', ' ');
      // What stands in brackets tells the two cranes and the two maillots apart.
      return label.replace(/ \(.*\)$/, '') === name ? [] : [`${index}: ${label}, ${name}`];
    });
    expect(Object.keys(published)).toHaveLength(1000);
    expect(differing).toEqual([]);
  });
});
