import { describe, expect, it } from 'vitest';
import { ScoreCamError } from '../src/errors';
import { memorySource } from '../src/model/bytes/byte-source';
import { openWeights } from '../src/model/formats/open';
import { parseManifest } from '../src/model/manifest';
import { matchTensors } from '../src/model/match';
import type { TensorMatch } from '../src/model/naming';
import { buildNetwork, type Network, sizeOf } from '../src/model/network';
import { type VggDepth, vggManifest } from '../src/model/vgg';
import type { WeightSource } from '../src/model/weight-source';
import type { TensorDtype } from '../src/numbers/tensor_dtypes';
import { narrowManifest, narrowNetwork, narrowWeights } from './harness/narrow-vgg';
import { smallModel } from './harness/small-model';
import { fixture } from './harness/weight-fixtures';
import { folder, writeSafetensors, writeTfjs } from './harness/weight-writers';

type Facts = Record<string, readonly number[] | readonly [TensorDtype, readonly number[]]>;

/** A file of which only the names, shapes and element types matter. */
function fileOf(facts: Facts): WeightSource {
  const tensors = new Map(
    Object.entries(facts).map(([name, fact]) => {
      const [dtype, shape] =
        typeof fact[0] === 'string'
          ? (fact as readonly [TensorDtype, readonly number[]])
          : (['F32', fact as readonly number[]] as const);
      return [name, { dtype, shape }];
    }),
  );
  return {
    name: 'weights.x',
    tensors,
    read: async () => {
      throw new Error('matching reads no numbers');
    },
  };
}

const WIDTHS = [3, 4, 5, 6, 7];

/** A VGG whose manifest has names of its own, so that only the known namings can match. */
function vgg(depth: VggDepth, classes = 10, inputSize = 64): Network {
  const manifest = vggManifest({
    depth,
    name: `my vgg${depth}`,
    description: 'narrow',
    licence: 'MIT',
    labels: Array.from({ length: classes }, (_, i) => `${i}`),
    weights: { format: 'seeded', seed: 1 },
    widths: WIDTHS,
    hidden: 9,
    inputSize,
  });
  const layers = manifest.layers.map((layer) =>
    'weight' in layer
      ? { ...layer, weight: `own.${layer.name}.w`, bias: `own.${layer.name}.b` }
      : layer,
  );
  return buildNetwork(parseManifest({ ...manifest, layers }));
}

// As in torchvision's files, counted by hand from models/vgg.py.
const MODULES: Record<VggDepth, readonly number[]> = {
  11: [0, 3, 6, 8, 11, 13, 16, 18],
  13: [0, 2, 5, 7, 10, 12, 15, 17, 20, 22],
  16: [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28],
  19: [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34],
};
const NORMALISED: Record<VggDepth, readonly number[]> = {
  11: [0, 4, 8, 11, 15, 18, 22, 25],
  13: [0, 3, 7, 10, 14, 17, 21, 24, 28, 31],
  16: [0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40],
  19: [0, 3, 7, 10, 14, 17, 20, 23, 27, 30, 33, 36, 40, 43, 46, 49],
};
const KERAS: Record<VggDepth, readonly string[]> = {
  11: ['1_1', '2_1', '3_1', '3_2', '4_1', '4_2', '5_1', '5_2'],
  13: ['1_1', '1_2', '2_1', '2_2', '3_1', '3_2', '4_1', '4_2', '5_1', '5_2'],
  16: ['1_1', '1_2', '2_1', '2_2', '3_1', '3_2', '3_3', '4_1', '4_2', '4_3', '5_1', '5_2', '5_3'],
  19: [
    ...['1_1', '1_2', '2_1', '2_2', '3_1', '3_2', '3_3', '3_4'],
    ...['4_1', '4_2', '4_3', '4_4', '5_1', '5_2', '5_3', '5_4'],
  ],
};
const DEPTHS = [11, 13, 16, 19] as const;
const TORCHVISION_HEADS = ['classifier.0', 'classifier.3', 'classifier.6'];
const TIMM_HEADS = ['pre_logits.fc1', 'pre_logits.fc2', 'head.fc'];

/** [in, out] of every convolution, and of the fully connected layers. */
function sizes(network: Network) {
  const of = (type: string) =>
    network.layers
      .filter((layer) => layer.type === type)
      .map((layer) => [layer.input.channels, layer.output.channels] as const);
  return { convs: of('conv'), linears: of('linear') };
}

function torchFile(
  network: Network,
  stems: readonly number[],
  heads: readonly string[],
  { isNormalised = false, isConvHead = false } = {},
): Facts {
  const { convs, linears } = sizes(network);
  const facts: Facts = {};
  convs.forEach(([i, o], at) => {
    const stem = stems[at] as number;
    facts[`features.${stem}.weight`] = [o, i, 3, 3];
    facts[`features.${stem}.bias`] = [o];
    if (!isNormalised) return;
    for (const name of ['weight', 'bias', 'running_mean', 'running_var']) {
      facts[`features.${stem + 1}.${name}`] = [o];
    }
    facts[`features.${stem + 1}.num_batches_tracked`] = ['I64', []];
  });
  linears.forEach(([i, o], at) => {
    const asConv = at === 0 ? [o, 7, 2, 2] : [o, i, 1, 1];
    facts[`${heads[at]}.weight`] = isConvHead && at < 2 ? asConv : [o, i];
    facts[`${heads[at]}.bias`] = [o];
  });
  return facts;
}

function kerasFile(network: Network, depth: VggDepth, prefix = '', suffix = ''): Facts {
  const { convs, linears } = sizes(network);
  const facts: Facts = {};
  const add = (stem: string, kernel: readonly number[]): void => {
    facts[`${prefix}${stem}/kernel${suffix}`] = kernel;
    facts[`${prefix}${stem}/bias${suffix}`] = [kernel.at(-1) as number];
  };
  convs.forEach(([i, o], at) => {
    add(`block${KERAS[depth][at]?.replace('_', '_conv')}`, [3, 3, i, o]);
  });
  linears.forEach(([i, o], at) => {
    add(['fc1', 'fc2', 'predictions'][at] as string, [i, o]);
  });
  return facts;
}

/** The names in the order of the layers: weight and bias of each. */
const namesOf = (match: TensorMatch) =>
  [...match.layers.values()].flatMap(({ weight, bias }) => [weight, bias]);

async function refusal(network: Network, facts: Facts): Promise<string> {
  try {
    await matchTensors(network, fileOf(facts));
  } catch (error) {
    expect(error).toBeInstanceOf(ScoreCamError);
    expect((error as ScoreCamError).code).toBe('weights');
    expect((error as ScoreCamError).message).toMatch(/^weights\.x does not fit the model "/);
    return (error as ScoreCamError).message;
  }
  throw new Error('it matched');
}

const without = (facts: Facts, name: string): Facts => {
  expect(facts).toHaveProperty([name]);
  return Object.fromEntries(Object.entries(facts).filter(([key]) => key !== name));
};

const withFact = (facts: Facts, name: string, fact: Facts[string]): Facts => {
  expect(facts).toHaveProperty([name]);
  return { ...facts, [name]: fact };
};

describe.each(DEPTHS)('VGG-%i', (depth) => {
  const network = vgg(depth);

  it('by torchvision', async () => {
    const facts = torchFile(network, MODULES[depth], TORCHVISION_HEADS);
    const match = await matchTensors(network, fileOf(facts));
    expect(match).toMatchObject({ naming: 'torchvision', layout: 'torch' });
    expect(namesOf(match)).toEqual(Object.keys(facts));
    expect([...match.layers.keys()]).toEqual(
      network.layers.filter(({ type }) => type !== 'maxpool').map(({ name }) => name),
    );
  });

  it('by torchvision with batch normalisation', async () => {
    const facts = torchFile(network, NORMALISED[depth], TORCHVISION_HEADS, { isNormalised: true });
    const match = await matchTensors(network, fileOf(facts));
    expect(match.naming).toBe('torchvision with batch normalisation');
    const last = NORMALISED[depth].at(-1) as number;
    const conv = [...match.layers].findLast(([name]) => name.startsWith('conv'))?.[1];
    expect(conv).toEqual({
      weight: `features.${last}.weight`,
      bias: `features.${last}.bias`,
      batchNorm: {
        scale: `features.${last + 1}.weight`,
        shift: `features.${last + 1}.bias`,
        mean: `features.${last + 1}.running_mean`,
        variance: `features.${last + 1}.running_var`,
        epsilon: 1e-5,
      },
    });
    expect(match.layers.get('fc1')).toEqual({
      weight: 'classifier.0.weight',
      bias: 'classifier.0.bias',
    });
  });

  it.each([true, false])(
    'by timm, fully connected layers as convolutions: %s',
    async (isConvHead) => {
      const facts = torchFile(network, MODULES[depth], TIMM_HEADS, { isConvHead });
      const match = await matchTensors(network, fileOf(facts));
      expect(match).toMatchObject({ naming: 'timm', layout: 'torch' });
      expect(namesOf(match)).toEqual(Object.keys(facts));
    },
  );

  it('by timm with batch normalisation', async () => {
    const options = { isNormalised: true, isConvHead: true };
    const facts = torchFile(network, NORMALISED[depth], TIMM_HEADS, options);
    const match = await matchTensors(network, fileOf(facts));
    expect(match.naming).toBe('timm with batch normalisation');
    expect(match.layers.get('fc2')?.weight).toBe('pre_logits.fc2.weight');
  });

  it.each([
    ['', ''],
    ['vgg/', ''],
    ['model_1/vgg/', ':0'],
  ])('by Keras, with "%s" before and "%s" behind', async (prefix, suffix) => {
    const facts = kerasFile(network, depth, prefix, suffix);
    const match = await matchTensors(network, fileOf(facts));
    expect(match).toMatchObject({ naming: 'keras', layout: 'keras' });
    expect(namesOf(match)).toEqual(Object.keys(facts));
  });

  it('is told from every other depth, in every naming', async () => {
    for (const other of DEPTHS.filter((value) => value !== depth)) {
      const file = vgg(other);
      const hint = `The file looks like VGG-${other}, the model is VGG-${depth}.`;
      for (const facts of [
        torchFile(file, MODULES[other], TORCHVISION_HEADS),
        torchFile(file, NORMALISED[other], TIMM_HEADS, { isNormalised: true }),
        kerasFile(file, other),
      ]) {
        expect(await refusal(network, facts)).toContain(hint);
      }
    }
  });
});

describe('what does not fit', () => {
  const network = vgg(16);
  const torch = torchFile(network, MODULES[16], TORCHVISION_HEADS);
  const normalised = torchFile(network, NORMALISED[16], TIMM_HEADS, { isNormalised: true });
  const keras = kerasFile(network, 16);

  it.each<readonly [string, Facts, string]>([
    [
      'another number of classes',
      torchFile(vgg(16, 25), MODULES[16], TORCHVISION_HEADS),
      'The file has a classifier of 25 classes, the model has 10.',
    ],
    [
      'another number of classes in Keras',
      kerasFile(vgg(16, 25), 16),
      '"predictions/kernel" is F32 9x25, layer "fc3" needs 9x10',
    ],
    [
      'another width',
      withFact(torch, 'features.10.weight', [9, 4, 3, 3]),
      'Closest are the names of torchvision (32 of 32 tensors found): ' +
        'tensor "features.10.weight" is F32 9x4x3x3, layer "conv3_1" needs 5x4x3x3.',
    ],
    [
      'another input size',
      torchFile(vgg(16, 10, 96), MODULES[16], TORCHVISION_HEADS),
      '"classifier.0.weight" is F32 9x63, layer "fc1" needs 9x28',
    ],
    [
      'a convolution turned round',
      withFact(torch, 'features.2.weight', [3, 3, 4, 3]),
      '"features.2.weight" is F32 3x3x4x3, layer "conv1_2" needs 3x3x3x3',
    ],
    [
      'a fully connected layer turned round',
      withFact(torch, 'classifier.6.weight', [9, 10]),
      'layer "fc3" needs 10x9',
    ],
    [
      'a head over another map',
      withFact(torch, 'classifier.0.weight', [9, 14, 2, 1]),
      'layer "fc1" needs 9x28',
    ],
    [
      'no bias',
      without(torch, 'features.28.bias'),
      '"features.28.bias" (layer "conv5_3") is missing',
    ],
    [
      'no running variance',
      without(normalised, 'features.1.running_var'),
      'tensor "features.1.running_var" (layer "conv1_1") is missing',
    ],
    [
      'integers',
      withFact(torch, 'features.0.weight', ['I64', [3, 3, 3, 3]]),
      '"features.0.weight" is I64 3x3x3x3, layer "conv1_1" needs F32, F16, BF16, F64',
    ],
    [
      'bytes outside TensorFlow.js',
      withFact(torch, 'classifier.3.weight', ['U8', [9, 9]]),
      'is U8 9x9, layer "fc2" needs F32, F16, BF16, F64, I8',
    ],
    [
      'int8 without scales',
      withFact(torch, 'classifier.3.weight', ['I8', [9, 9]]),
      'tensor "classifier.3.weight.scale" (layer "fc2") is missing',
    ],
    [
      'an int8 convolution',
      withFact(torch, 'features.0.weight', ['I8', [3, 3, 3, 3]]),
      'is I8 3x3x3x3',
    ],
    ['int8 of Keras', withFact(keras, 'fc2/kernel', ['I8', [9, 9]]), 'is I8 9x9'],
    [
      'two models in one file',
      { ...kerasFile(network, 16, 'a/'), ...kerasFile(network, 16, 'b/') },
      '"a/block1_conv1/kernel" and "b/block1_conv1/kernel" could both be "block1_conv1/kernel"',
    ],
    [
      'no classifier',
      Object.fromEntries(Object.entries(keras).filter(([name]) => name.startsWith('block'))),
      'no fully connected layers: was it saved with include_top=False?',
    ],
    [
      'another network',
      { 'layer1.0.conv1.weight': [64, 64, 3, 3], 'fc.weight': [10, 512] },
      'no tensor of it has a name that is known (tried: manifest, torchvision, torchvision with batch ' +
        'normalisation, timm, timm with batch normalisation, keras). It holds layer1.0.conv1.weight, ' +
        'fc.weight.',
    ],
    ['no tensors', {}, 'It holds no tensors'],
  ])('%s is refused', async (_what, facts, message) => {
    expect(await refusal(network, facts)).toContain(message);
  });

  it('a convolution needs no bias of its own before batch normalisation', async () => {
    const facts = without(normalised, 'features.0.bias');
    const { layers } = await matchTensors(network, fileOf(facts));
    expect(layers.get('conv1_1')?.bias).toBeUndefined();
    expect(layers.get('conv1_2')?.bias).toBe('features.3.bias');
  });

  it('bytes are what TensorFlow.js dequantises', async () => {
    const facts = withFact(keras, 'fc2/kernel', ['U8', [9, 9]]);
    expect((await matchTensors(network, fileOf(facts))).layout).toBe('keras');
  });

  it('int8 comes with its scales', async () => {
    const facts = {
      ...withFact(torch, 'classifier.3.weight', ['I8', [9, 9]]),
      'classifier.3.weight.scale': [9],
    };
    const { layers } = await matchTensors(network, fileOf(facts));
    expect(layers.get('fc2')).toEqual({
      weight: 'classifier.3.weight',
      bias: 'classifier.3.bias',
      scale: 'classifier.3.weight.scale',
    });
  });
});

describe("the manifest's own names", () => {
  it('come first', async () => {
    const { network, weights } = { network: narrowNetwork, weights: narrowWeights };
    const match = await matchTensors(network, weights);
    expect(match).toMatchObject({ naming: 'manifest', layout: 'torch' });
    expect(namesOf(match)).toEqual([...weights.tensors.keys()]);
  });

  it('are the only ones for a network that is no VGG', async () => {
    const { network, weights } = smallModel();
    expect(namesOf(await matchTensors(network, weights))).toEqual([...weights.tensors.keys()]);
    expect(await refusal(network, { 'features.0.weight': [5, 3, 3, 3] })).toContain(
      '(tried: manifest)',
    );
    const facts: Facts = Object.fromEntries(
      [...weights.tensors].map(([name, { shape }]) => [name, shape]),
    );
    expect(await refusal(network, without(facts, 'conv3.bias'))).toContain(
      '"conv3.bias" (layer "conv3") is missing',
    );
  });

  it('of a fully connected layer behind global pooling', async () => {
    const layers = [
      { type: 'conv', name: 'a', outChannels: 4, kernel: 3, weight: 'a.w', bias: 'a.b' },
      { type: 'globalavgpool', name: 'gap' },
      { type: 'linear', name: 'b', outFeatures: 2, weight: 'b.w', bias: 'b.b' },
    ];
    const manifest = { ...narrowManifest, layers, targetLayer: 'a', labels: ['x', 'y'] };
    const network = buildNetwork(parseManifest(manifest));
    expect(sizeOf(network.layers[2]?.input as Network['input'])).toBe(4);
    const facts = { 'a.w': [4, 3, 3, 3], 'a.b': [4], 'b.w': [2, 4, 1, 1], 'b.b': [2] };
    expect((await matchTensors(network, fileOf(facts))).layers.size).toBe(2);
  });
});

describe('real files', () => {
  const lone = async (): Promise<never> => {
    throw new Error('a single file has no siblings');
  };

  it.each([
    ['zip.pth', 'manifest'],
    ['checkpoint.pth', 'manifest'],
    ['bfloat16.pth', 'manifest'],
    ['batch_norm.pth', 'torchvision with batch normalisation'],
  ])('%s by PyTorch has the names of: %s', async (name, naming) => {
    const source = await openWeights(memorySource(name, fixture(name)), lone);
    expect((await matchTensors(narrowNetwork, source)).naming).toBe(naming);
  });

  it("TensorFlow.js' and int8 safetensors", async () => {
    const files = await writeTfjs(narrowWeights, narrowNetwork, {
      quantisation: 'uint8',
      rename: (name) => `vgg11/${name}`,
    });
    const { file, sibling } = folder(files, 'model.json');
    const keras = await matchTensors(narrowNetwork, await openWeights(file, sibling));
    expect(keras.layers.get('fc3')?.weight).toBe('vgg11/predictions/kernel');
    const bytes = await writeSafetensors(narrowWeights, { dtype: 'I8' });
    const int8 = await matchTensors(
      narrowNetwork,
      await openWeights(memorySource('a', bytes), lone),
    );
    expect(int8.layers.get('fc1')?.scale).toBe('classifier.0.weight.scale');
    expect(int8.layers.get('conv1_1')?.scale).toBeUndefined();
  });
});
