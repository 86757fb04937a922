import { readFileSync } from 'node:fs';
import { describe, expect, inject, it } from 'vitest';
import {
  ARCHITECTURES,
  type ArchitectureName,
  isArchitecture,
} from '../src/model/architectures/architectures';
import { architecturePreset, seededArchitecture } from '../src/model/architectures/manifests';
import { weightBlocks } from '../src/model/blocks';
import { storedTensors } from '../src/model/encoding';
import { parseGraph } from '../src/model/graph/manifest';
import { buildGraph } from '../src/model/graph/network';
import { loadModel } from '../src/model/model';
import { isWeighted, type Network, targetIndex } from '../src/model/network';
import { seededWeights } from '../src/model/seeded';
import { seededManifestOf } from '../src/model/seeded-manifest';
import { elementCount, type WeightSource } from '../src/model/weight-source';

const names = Object.keys(ARCHITECTURES) as ArchitectureName[];

function networkOf(name: ArchitectureName): Network {
  return buildGraph(seededArchitecture(name, 1));
}

describe('architectures', () => {
  // Trainable parameters as torchvision's documentation counts them, and the target's shape at 224x224.
  it.each([
    ['resnet18', 11_689_512, [512, 7, 7]],
    ['resnet34', 21_797_672, [512, 7, 7]],
    ['resnet50', 25_557_032, [2048, 7, 7]],
    ['mobilenet_v2', 3_504_872, [1280, 7, 7]],
    ['squeezenet1_1', 1_235_496, [512, 13, 13]],
    ['densenet121', 7_978_856, [1024, 7, 7]],
  ] as const)('%s has %i parameters', (name, parameters, target) => {
    const network = networkOf(name);
    const trained = [...seededWeights(network, 1).tensors].filter(
      ([tensor]) => !tensor.includes('running_'),
    );
    expect(trained.reduce((sum, [, { shape }]) => sum + elementCount(shape), 0)).toBe(parameters);
    const { output } = network.layers[targetIndex(network, network.targetLayer)] ?? {};
    expect(Object.values(output ?? {})).toEqual(target);
    expect(network.layers.at(-1)?.output.channels).toBe(1000);
  });

  it.each(names)('%s follows the rules of manifests, and is a preset', (name) => {
    const manifest = JSON.parse(JSON.stringify(architecturePreset(name)));
    expect(JSON.parse(JSON.stringify(parseGraph(manifest)))).toEqual(manifest);
    expect(manifest.labels[285]).toBe('Egyptian cat');
  });

  it('other names are none', () => {
    expect(isArchitecture('resnet19')).toBe(false);
    expect(isArchitecture('toString')).toBe(false);
    expect(seededManifestOf('resnet18-seeded-4294967296')).toBeUndefined();
    expect(seededManifestOf('resnet19-seeded-1')).toBeUndefined();
    expect(seededManifestOf('resnet18-seeded-3')?.weights).toEqual({ format: 'seeded', seed: 3 });
  });
});

/** A tensor as golden.json describes it. */
interface GoldenTensor {
  readonly t: number;
  readonly name: string;
  readonly shape: readonly number[];
  readonly first: readonly number[];
  readonly last: number;
  readonly sum_f64: number;
  readonly sumabs_f64: number;
}

describe('seeded weights of graphs', () => {
  const shared = inject('sharedFolder');

  it.skipIf(!shared).each(['resnet18', 'mobilenet_v2', 'squeezenet1_1', 'densenet121'] as const)(
    '%s: are the golden ones, tensor by tensor',
    { timeout: 120_000 },
    async (name) => {
      const { tensors }: { tensors: readonly GoldenTensor[] } = JSON.parse(
        readFileSync(`${shared}/golden/${name}-seed1/golden.json`, 'utf8'),
      );
      const weights = seededWeights(networkOf(name), 1);
      expect([...weights.tensors.keys()]).toEqual(tensors.map((tensor) => tensor.name));
      for (const tensor of tensors) {
        expect(weights.tensors.get(tensor.name)?.shape, tensor.name).toEqual(tensor.shape);
        const values = await weights.read(tensor.name, 0, elementCount(tensor.shape));
        expect([...values.subarray(0, 3)], tensor.name).toEqual(tensor.first.map(Math.fround));
        expect(values.at(-1), tensor.name).toBe(Math.fround(tensor.last));
        const sum = values.reduce((total, value) => total + value, 0);
        expect(Math.abs(sum - tensor.sum_f64) / tensor.sumabs_f64, tensor.name).toBeLessThan(1e-12);
        const sumabs = values.reduce((total, value) => total + Math.abs(value), 0);
        expect(sumabs / tensor.sumabs_f64, tensor.name).toBeCloseTo(1, 11);
      }
    },
  );

  // The first values of a tensor of each kind, by the rule worked out in NumPy.
  it.each([
    ['conv1.weight', [0.073292166, -0.1467491, 0.13769695]],
    ['bn1.weight', [0.99125195, 0.9106831, 0.94132876]],
    ['bn1.bias', [0.04611615, 0.017873382, 0.038174357]],
    ['bn1.running_mean', [-0.049685944, -0.040714502, 0.027416958]],
    ['layer4.1.bn2.running_var', [1.6133251, 1.6077881, 1.8377573]],
    ['fc.bias', [0.04670293, -0.0063092234, 0.036768463]],
  ] as const)('resnet18: %s', async (tensor, expected) => {
    const values = await seededWeights(networkOf('resnet18'), 1).read(tensor, 0, 3);
    expect([...values]).toEqual(expected.map(Math.fround));
  });
});

describe('weights of architectures', () => {
  it('come folded, each tensor of the kept form once', async () => {
    const { network, weights } = await loadModel('mobilenet_v2-seeded-5');
    const expected = storedTensors(network, 'f32');
    const found = new Map<string, number>();
    const add = (name: string, count: number): void => {
      found.set(name, (found.get(name) ?? 0) + count);
    };
    for await (const block of weightBlocks(network, weights, { dtype: 'f32' })) {
      if (block.kind === 'conv') {
        add(block.layer.weight, block.weight.length);
        add(block.layer.bias, block.bias.length);
      } else {
        add(block.kind === 'bias' ? block.layer.bias : block.layer.weight, block.values.length);
      }
    }
    expect(found).toEqual(new Map(expected.map(({ name, shape }) => [name, elementCount(shape)])));
  });

  /** The same tensors under other names. */
  const renamed = (source: WeightSource, names: ReadonlyMap<string, string>): WeightSource => ({
    name: 'renamed',
    tensors: new Map(
      [...source.tensors].map(([name, facts]) => [names.get(name) ?? name, facts] as const),
    ),
    read: (name, start, count) =>
      source.read([...names].find(([, other]) => other === name)?.[0] ?? name, start, count),
  });

  // Written down from timm's mobilenetv2_100, block by block.
  it('are found by the names of timm', async () => {
    const { network, weights } = await loadModel('mobilenet_v2-seeded-5');
    const stems: [string, string][] = [
      ['features.0.0', 'conv_stem'],
      ['features.0.1', 'bn1'],
      ['features.1.conv.0.0', 'blocks.0.0.conv_dw'],
      ['features.1.conv.0.1', 'blocks.0.0.bn1'],
      ['features.1.conv.1', 'blocks.0.0.conv_pw'],
      ['features.1.conv.2', 'blocks.0.0.bn2'],
      ['features.18.0', 'conv_head'],
      ['features.18.1', 'bn2'],
      ['classifier.1', 'classifier'],
    ];
    const blocks = ['1.0', '1.1', '2.0', '2.1', '2.2', '3.0', '3.1', '3.2', '3.3'].concat([
      '4.0',
      '4.1',
      '4.2',
      '5.0',
      '5.1',
      '5.2',
      '6.0',
    ]);
    blocks.forEach((block, i) => {
      const parts = ['0.0', '0.1', '1.0', '1.1', '2', '3'];
      const theirs = ['conv_pw', 'bn1', 'conv_dw', 'bn2', 'conv_pwl', 'bn3'];
      parts.forEach((part, at) => {
        stems.push([`features.${i + 2}.conv.${part}`, `blocks.${block}.${theirs[at]}`]);
      });
    });
    const map = new Map<string, string>();
    for (const name of weights.tensors.keys()) {
      const stem = stems.find(
        ([ours]) => name.startsWith(`${ours}.`) && !name.slice(ours.length + 1).includes('.'),
      );
      if (stem) map.set(name, name.replace(stem[0], stem[1]));
    }
    expect(map.size).toBe(weights.tensors.size);
    expect(await digest(network, renamed(weights, map))).toEqual(await digest(network, weights));
  });

  it('are found by the names of the first torchvision', async () => {
    const { network, weights } = await loadModel('densenet121-seeded-5');
    const map = new Map(
      [...weights.tensors.keys()].map((name) => [
        name,
        name.replace(
          /\.(norm|conv)([12])\.(weight|bias|running_mean|running_var)$/,
          (_, kind, n, of) =>
            name.includes('denselayer') ? `.${kind}.${n}.${of}` : `.${kind}${n}.${of}`,
        ),
      ]),
    );
    expect(map.get('features.denseblock1.denselayer1.norm1.weight')).toBe(
      'features.denseblock1.denselayer1.norm.1.weight',
    );
    expect(await digest(network, renamed(weights, map))).toEqual(await digest(network, weights));
  });

  it('are told what is missing', async () => {
    const { network, weights } = await loadModel('resnet18-seeded-5');
    const tensors = new Map(weights.tensors);
    tensors.delete('layer2.0.bn2.running_var');
    await expect(digest(network, { ...weights, tensors })).rejects.toThrow(
      'Closest are the names of manifest (101 of 102 tensors found): tensor ' +
        '"layer2.0.bn2.running_var" (layer "layer2.0.conv2") is missing.',
    );
  });
});

/** The sum of each layer's weights and biases. */
async function digest(network: Network, source: WeightSource): Promise<Map<string, number>> {
  const sums = new Map<string, number>(
    network.layers.filter(isWeighted).map(({ name }) => [name, 0] as const),
  );
  for await (const block of weightBlocks(network, source, { dtype: 'f32' })) {
    const arrays = block.kind === 'conv' ? [block.weight, block.bias] : [block.values];
    const { name } = block.layer;
    for (const values of arrays) {
      sums.set(
        name,
        values.reduce((sum, value) => sum + value, sums.get(name) ?? 0),
      );
    }
  }
  return sums;
}
