import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ArchitectureName } from '../src/model/architectures/architectures';
import { seededArchitecture } from '../src/model/architectures/manifests';
import { weightBlocks } from '../src/model/blocks';
import { memorySource } from '../src/model/bytes/byte-source';
import { openSafetensors } from '../src/model/formats/safetensors';
import { buildGraph } from '../src/model/graph/network';
import { parseManifest } from '../src/model/manifest';
import type { Model } from '../src/model/model';
import { buildNetwork, IMAGE, type Layer, type Network } from '../src/model/network';
import { seededVgg } from '../src/model/seeded-vgg';
import type { WeightBlock } from '../src/model/weight-block';
import { ceilingCode, RELU, SIGMOID } from '../src/numbers/activation';
import { compile, type PlanOptions } from '../src/plan/compile';
import { Bounds, expectsBounds } from '../src/runtime/bounds';
import { kit } from '../src/runtime/graph/kit';
import { factsOf } from './harness/facts';
import { type SmallGraphName, smallGraph, smallGraphs } from './harness/small-graph';
import { smallLayers, smallModel } from './harness/small-model';

async function boundsOf(
  { network, weights }: Pick<Model, 'network' | 'weights'>,
  options: PlanOptions = {},
): Promise<Bounds> {
  const plan = compile(network, factsOf(), options);
  const bounds = new Bounds(plan);
  for await (const block of weightBlocks(network, weights, { dtype: plan.dtype }))
    bounds.add(block);
  return bounds;
}

const poolingHead = { layers: smallLayers.poolingHead, targetLayer: 'conv2' };

describe('bounds of sums', () => {
  it('are products of the largest rows, from the largest pixel on', async () => {
    // Each layer's first row has only its bias and weights of one size; the others are smaller.
    const rows = { conv1: [27, 3], conv2: [54, -5], conv3: [5, 7] } as const;
    const model = smallModel({
      ...poolingHead,
      change: (tensor, values) => {
        const [layer, kind] = tensor.split('.') as [keyof typeof rows, string];
        const [length, value] = rows[layer];
        values.fill(0.01);
        if (kind === 'weight') values.fill(value, 0, length);
        else values[1] = -value;
      },
    });
    // (1 - 0.5) / 0.2 and, of the other side, 0.4 / 0.25.
    expect(model.network.largestPixel).toBe(2.5);
    const first = 100 * 2.5 * 27 * 3 + 3;
    const second = first * 54 * 5 + 5;
    const { largest, areFinite } = await boundsOf(model);
    // Of 17 x 14 positions the head adds up all, to average them.
    expect(largest).toBeCloseTo(17 * 14 * (second * 5 * 7 + 7), 0);
    expect(areFinite).toBe(true);
  });

  it('are of the layer that has the largest, though others behind it are small', async () => {
    const change = (tensor: string, values: Float32Array): void => {
      if (tensor === 'conv2.weight') values[0] = 1e35;
      if (tensor === 'conv3.weight') values.fill(0);
    };
    const bounds = await boundsOf(smallModel({ ...poolingHead, change }));
    expect(bounds.largest).toBeGreaterThan(1e35);
    expect(bounds.areFinite).toBe(false);
  });

  it('are not those of a network with weights or means beyond reason', async () => {
    const change = (_: string, values: Float32Array): void => {
      values.fill(1e30);
    };
    expect((await boundsOf(smallModel({ change }))).areFinite).toBe(false);
    const { network, weights } = smallModel();
    const odd = { ...network, largestPixel: Number.POSITIVE_INFINITY };
    expect((await boundsOf({ network: odd, weights })).areFinite).toBe(false);
  });

  it('are unknown as long as a layer is', async () => {
    const { network, weights } = smallModel();
    const bounds = new Bounds(compile(network, factsOf()));
    for await (const block of weightBlocks(network, weights, { dtype: 'f32' })) {
      if (block.layer.name !== 'conv2') bounds.add(block);
    }
    expect(bounds.largest).toBe(Number.POSITIVE_INFINITY);
    expect(bounds.areFinite).toBe(false);
  });

  it('add up and multiply where branches meet, and end where activations do', async () => {
    for (const name of Object.keys(smallGraphs) as SmallGraphName[]) {
      const model = smallGraph(name);
      const bounds = await boundsOf(model, { graph: kit });
      expect(bounds.largest, name).toBeGreaterThan(100 * model.network.largestPixel);
      expect(bounds.areFinite, name).toBe(true);
    }
    // Weights as large as one likes: behind a ceiling of 6 nothing is left of them.
    const layer = (name: string, input: string, rest: object): Layer =>
      ({ name, inputs: [input], ...rest }) as unknown as Layer;
    const of = { channels: 1, height: 2, width: 2 };
    const conv = { type: 'conv', kernel: 1, input: of, output: of };
    const network = {
      ...smallModel().network,
      layers: [
        layer('a', IMAGE, { ...conv, activation: ceilingCode(6) }),
        layer('b', 'a', { ...conv, activation: RELU }),
        {
          ...layer('c', 'a', { type: 'add', input: of, output: of, activation: RELU }),
          inputs: ['a', 'b'],
        },
        {
          ...layer('d', 'c', { type: 'multiply', input: of, output: of, activation: SIGMOID }),
          inputs: ['c', 'b'],
        },
        layer('e', 'd', { ...conv, activation: RELU }),
        layer('f', 'e', { type: 'globalavgpool', input: of, output: of }),
      ] as Layer[],
    };
    const bounds = new Bounds({ network, precision: 'f32' });
    const add = (name: string, weight: number, bias: number): void => {
      const block = { layer: network.layers.find((one) => one.name === name) };
      const values = { weight: Float32Array.of(weight), bias: Float32Array.of(bias) };
      bounds.add({ kind: 'conv', ...block, ...values } as unknown as WeightBlock);
    };
    add('a', 1e6, 0);
    add('b', -10, 3);
    add('e', 1e3, 0);
    // The product: (6 + 63) x 63, and the image: 250 x 1e6.
    expect(bounds.largest).toBe(250e6);
    add('a', 10, 0);
    expect(bounds.largest).toBe((6 + 63) * 63);
    // The average's four.
    add('e', 2e3, 0);
    expect(bounds.largest).toBe(8e3);
  });

  it('are not there of what f16 stores between kernels', async () => {
    expect((await boundsOf(smallModel(), { dtype: 'f16' })).areFinite).toBe(true);
    expect((await boundsOf(smallModel(), { dtype: 'int8' })).areFinite).toBe(true);
    expect((await boundsOf(smallModel(), { precision: 'f16' })).areFinite).toBe(false);
  });

  it('are expected of networks as deep as VGG and MobileNet, and not of ResNet-50', () => {
    const expected = (network: Network): boolean => expectsBounds({ network, precision: 'f32' });
    expect(expected(seededVgg(19, 1).network)).toBe(true);
    expect(expectsBounds({ network: seededVgg(16, 1).network, precision: 'f16' })).toBe(false);
    const known = (name: ArchitectureName): Network => buildGraph(seededArchitecture(name, 1));
    expect(expected(known('mobilenet_v2'))).toBe(true);
    expect(expected(known('resnet50'))).toBe(false);
  });

  it('are there of the embedded model', async () => {
    const file = (name: string): Buffer =>
      readFileSync(new URL(`../weights/scenes-vgg16/${name}`, import.meta.url));
    const network = buildNetwork(parseManifest(JSON.parse(file('manifest.json').toString())));
    const weights = await openSafetensors(
      memorySource('model.safetensors', new Uint8Array(file('model.safetensors'))),
    );
    const bounds = await boundsOf({ network, weights });
    expect(bounds.areFinite).toBe(true);
    expect(bounds.largest).toBeGreaterThan(1e17);
    expect(bounds.largest).toBeLessThan(1e20);
  });
});
