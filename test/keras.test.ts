import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { architecturePreset } from '../src/model/architectures/manifests';
import { mobilenetV1 } from '../src/model/architectures/mobilenet-v1';
import { weightBlocks } from '../src/model/blocks';
import { memorySource } from '../src/model/bytes/byte-source';
import type { Description } from '../src/model/description';
import { readNetworkFile } from '../src/model/foreign';
import { openWeights } from '../src/model/formats/open';
import type { GraphManifest } from '../src/model/graph/manifest';
import { buildGraph } from '../src/model/graph/network';
import { isWeighted, type Network } from '../src/model/network';
import type { WeightSource } from '../src/model/weight-source';
import { asKeras3 } from './harness/keras-3';
import { graphForward, logitsOf } from './reference/graph';

type Json = Record<string, unknown>;

const HALF: Description = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
const MODELS = ['mobilenet', 'sequential', 'branches'] as const;
type ModelName = (typeof MODELS)[number];

const at = (name: string, file: string): URL =>
  new URL(`./fixtures/tfjs/${name}/${file}`, import.meta.url);

function jsonOf(name: ModelName): Json {
  return JSON.parse(readFileSync(at(name, 'model.json'), 'utf8'));
}

/** A model that TensorFlow.js saved, after `change`. */
async function open(
  name: ModelName,
  change: (json: Json) => unknown = () => undefined,
  said: Description = HALF,
  beside?: unknown,
) {
  const json = jsonOf(name);
  const changed = change(json) ?? json;
  const bytes = new TextEncoder().encode(JSON.stringify(changed));
  const sibling = async (path: string) => {
    if (path === 'score-cam.json' && beside !== undefined) {
      return memorySource(path, new TextEncoder().encode(JSON.stringify(beside)));
    }
    return memorySource(path, new Uint8Array(readFileSync(at(name, path))));
  };
  const { manifest, weights } = await readNetworkFile(
    memorySource(`models/${name}/model.json`, bytes),
    sibling,
    said,
  );
  return {
    manifest: manifest as GraphManifest,
    network: buildGraph(manifest as GraphManifest),
    weights: weights as WeightSource,
  };
}

/** The image that TensorFlow.js saw, as [3, height, width] of rgb / 127.5 - 1. */
function imageOf(name: ModelName): number[] {
  const bytes = readFileSync(at(name, 'image.bin'));
  const pixels = bytes.length / 3;
  return Array.from(
    { length: bytes.length },
    (_, i) => (bytes[(i % pixels) * 3 + Math.floor(i / pixels)] as number) / 127.5 - 1,
  );
}

/** The largest difference of probabilities from those of TensorFlow.js. */
async function differenceOf(name: ModelName, network: Network, weights: WeightSource) {
  const { probabilities } = JSON.parse(readFileSync(at(name, 'expected.json'), 'utf8')) as {
    probabilities: number[];
  };
  const logits = logitsOf(network, await graphForward(network, weights, imageOf(name)));
  const total = logits.reduce((sum, value) => sum + Math.exp(value), 0);
  expect(logits).toHaveLength(probabilities.length);
  return Math.max(
    ...probabilities.map((p, i) => Math.abs(Math.exp(logits[i] as number) / total - p)),
  );
}

const layersOf = (json: Json): Json[] =>
  ((json.modelTopology as Json).config as { layers: Json[] }).layers;
const configOf = (json: Json, name: string): Json => {
  const found = layersOf(json).find(({ config }) => (config as Json).name === name);
  return found?.config as Json;
};

describe('TensorFlow.js layers models', () => {
  it.each(MODELS)('%s: the probabilities of TensorFlow.js', async (name) => {
    const { network, weights, manifest } = await open(name);
    expect(await differenceOf(name, network, weights)).toBeLessThan(2e-6);
    expect(manifest.name).toBe(name);
  });

  it('have their layers under their own names, fused, and the head fully connected', async () => {
    const { network } = await open('mobilenet');
    const kinds = network.layers.map(({ name, type }) => `${type} ${name}`);
    expect(kinds).toEqual([
      'windowconv conv1',
      ...[1, 2, 3, 4, 5].flatMap((i) => [`windowconv conv_dw_${i}`, `conv conv_pw_${i}`]),
      'globalavgpool global_average_pooling2d_1',
      'linear conv_preds',
    ]);
    expect(network.targetLayer).toBe('conv_pw_5');
    const { network: other } = await open('branches');
    expect(other.targetLayer).toBe('gated');
    expect(other.layers.filter(({ type }) => type === 'linear')).toHaveLength(1);
  });

  it('the way of Keras 3 gives the same', async () => {
    const { network, weights } = await open('mobilenet', asKeras3);
    expect(await differenceOf('mobilenet', network, weights)).toBeLessThan(2e-6);
  });

  it('a model in a model, as Teachable Machine saves them, gives the same', async () => {
    const { network, weights } = await open('mobilenet', (json) => {
      const { config } = json.modelTopology as { config: Json };
      const split = layersOf(json).findIndex(({ name }) => name === 'global_average_pooling2d_1');
      const body: Json = { ...config, layers: layersOf(json).slice(0, split) };
      body.output_layers = [['conv_pw_5_relu', 0, 0]];
      const head = layersOf(json).slice(split);
      const layers = [
        {
          class_name: 'Sequential',
          config: { name: 'body', layers: [{ class_name: 'Model', config: body }] },
        },
        { class_name: 'Sequential', config: { name: 'head', layers: head } },
      ];
      return {
        ...json,
        modelTopology: { class_name: 'Sequential', config: { name: 'all', layers } },
      };
    });
    expect(await differenceOf('mobilenet', network, weights)).toBeLessThan(2e-6);
  });

  it('names with what converters put round them are found', async () => {
    const { network, weights } = await open('sequential', (json) => {
      for (const { weights } of json.weightsManifest as { weights: { name: string }[] }[]) {
        for (const weight of weights) weight.name = `sequential_small/${weight.name}:0`;
      }
    });
    expect(await differenceOf('sequential', network, weights)).toBeLessThan(2e-6);
  });

  it('what the network does with bytes first is its normalisation', async () => {
    const { manifest, network, weights } = await open(
      'mobilenet',
      (json) => {
        const layers = layersOf(json);
        const [first] = layers;
        layers.splice(1, 0, {
          class_name: 'Rescaling',
          name: 'rescaling',
          config: { name: 'rescaling', scale: 1 / 127.5, offset: -1 },
          inbound_nodes: [[[first?.name, 0, 0, {}]]],
        });
        const conv = layers[2] as Json;
        conv.inbound_nodes = [[['rescaling', 0, 0, {}]]];
      },
      {},
    );
    expect(manifest.input.mean[1]).toBeCloseTo(0.5, 12);
    expect(manifest.input.std[2]).toBeCloseTo(0.5, 12);
    expect(await differenceOf('mobilenet', network, weights)).toBeLessThan(2e-6);
  });

  it('take size, labels and normalisation from options or from a file beside them', async () => {
    const anySize = (json: Json): void => {
      configOf(json, 'input_1').batch_input_shape = [null, null, null, 3];
    };
    const labels = Array.from('abcdefghij');
    const { manifest } = await open('mobilenet', anySize, {
      ...HALF,
      labels,
      size: [40, 36],
      resize: 'stretch',
    });
    expect(manifest.input).toEqual({ height: 40, width: 36, ...HALF, resize: 'stretch' });
    expect(manifest.labels).toEqual(labels);
    const beside = { labels, mean: [0.1, 0.2, 0.3], std: [1, 2, 3], size: 48 };
    const other = await open('mobilenet', anySize, { mean: [0, 0, 0] }, beside);
    expect(other.manifest.input).toEqual({
      height: 48,
      width: 48,
      mean: [0, 0, 0],
      std: [1, 2, 3],
      resize: 'cover',
    });
    expect(other.manifest.labels).toEqual(labels);
    await expect(open('mobilenet', anySize)).rejects.toThrow(
      'takes images of any height: give the option size',
    );
    await expect(open('mobilenet', undefined, {})).rejects.toThrow(
      'does not say how its input is normalised',
    );
    await expect(open('mobilenet', undefined, { ...HALF, labels: ['a'] })).rejects.toThrow(
      'has 10 classes, but there are 1 labels',
    );
    await expect(open('mobilenet', undefined, { ...HALF, size: 33 })).rejects.toThrow(
      'takes images of height 32; size says 33',
    );
    await expect(open('mobilenet', undefined, {}, { mean: 3 })).rejects.toThrow(
      'score-cam.json: "mean" is 3, must be three numbers',
    );
  });

  const set = (name: string, member: string, value: unknown) => (json: Json) => {
    configOf(json, name)[member] = value;
  };
  const retype = (name: string, type: string) => (json: Json) => {
    const found = layersOf(json).find(({ config }) => (config as Json).name === name);
    (found as Json).class_name = type;
  };
  it.each<[string, ModelName, (json: Json) => unknown, string]>([
    [
      'an unknown layer',
      'sequential',
      retype('b_leaky', 'LSTM'),
      'layer "b_leaky" (LSTM) is not supported; supported are Conv2D',
    ],
    [
      'dilation',
      'branches',
      set('left', 'dilation_rate', [2, 2]),
      'layer "left" (Conv2D) has the dilation rate [2,2]',
    ],
    [
      'channels first',
      'branches',
      set('left', 'data_format', 'channels_first'),
      'channels_last is supported',
    ],
    [
      'causal padding',
      'branches',
      set('left', 'padding', 'causal'),
      'same and valid are supported',
    ],
    ['a kernel of 12', 'branches', set('left', 'kernel_size', [12, 12]), 'at most 11x11 by 4x4'],
    [
      'a bias that the file has and the layer does not use',
      'branches',
      set('left', 'use_bias', false),
      'tensor "left/bias" is there, and the configuration of layer "left" says that it has no bias.',
    ],
    [
      'a shift of a batch norm, likewise',
      'mobilenet',
      set('conv1_bn', 'center', false),
      'tensor "conv1_bn/beta" is there, and the configuration of layer "conv1_bn" says that it has no beta.',
    ],
    [
      'an unknown activation',
      'branches',
      set('left', 'activation', 'gelu'),
      'has the activation "gelu"; supported are linear, relu',
    ],
    [
      "Keras 2's hard sigmoid",
      'branches',
      set('expand', 'activation', 'hard_sigmoid'),
      'has the activation "hard_sigmoid"',
    ],
    [
      'a threshold',
      'branches',
      set('stem_relu', 'threshold', 1),
      'layer "stem_relu" (ReLU) has the max_value',
    ],
    [
      'another axis',
      'branches',
      set('both', 'axis', 1),
      'layer "both" (Concatenate) works along axis 1',
    ],
    [
      'sigmoid at the end',
      'branches',
      set('classes', 'activation', 'sigmoid'),
      'ends in "sigmoid"; softmax, or none',
    ],
    [
      'softmax in the middle',
      'branches',
      set('left', 'activation', 'softmax'),
      'comes behind a softmax',
    ],
    [
      'maxima over zeros',
      'branches',
      set('gated_relu', 'activation', 'linear'),
      'takes the maximum over padded zeros',
    ],
    [
      'padding twice',
      'sequential',
      set('c', 'padding', 'same'),
      'pads what a ZeroPadding2D has padded',
    ],
    [
      'padding of nothing',
      'sequential',
      retype('c', 'BatchNormalization'),
      'comes behind a ZeroPadding2D',
    ],
    [
      'another reshape',
      'mobilenet',
      set('reshape_1', 'target_shape', [2, 12]),
      'turns 1x1x24 into 2x12',
    ],
    [
      'grey images',
      'mobilenet',
      set('input_1', 'batch_input_shape', [null, 32, 32, 1]),
      'an image is [null, height, width, 3]',
    ],
    ['a filter count that is none', 'mobilenet', set('conv1', 'filters', -1), 'has the filters -1'],
    [
      'another filter count',
      'mobilenet',
      set('conv1', 'filters', 7),
      'tensor "conv1/kernel" is 3x3x3x6, layer "conv1" needs 3x3x3x7',
    ],
    [
      'a bias that is not there',
      'mobilenet',
      set('conv1', 'use_bias', true),
      'tensor "conv1/bias" is missing',
    ],
    [
      'a graph model',
      'mobilenet',
      (json) => ({ ...json, modelTopology: { node: [] } }),
      'it is a TensorFlow.js graph model',
    ],
    [
      'no layers',
      'mobilenet',
      (json) => ({ ...json, modelTopology: {} }),
      'the model is missing; supported are Sequential',
    ],
    [
      'a circle',
      'mobilenet',
      (json) => {
        (layersOf(json)[1] as Json).inbound_nodes = [[['conv_pw_1', 0, 0, {}]]];
      },
      'reads what is computed from it',
    ],
    [
      'two uses of one layer',
      'mobilenet',
      (json) => {
        (layersOf(json)[1] as Json).inbound_nodes = [
          [['input_1', 0, 0, {}]],
          [['input_1', 0, 0, {}]],
        ];
      },
      'layer "conv1" (Conv2D) is used 2 times',
    ],
    ['JSON of something else', 'mobilenet', () => ({ hello: 1 }), '"format" is missing'],
  ])('%s is refused', async (_what, name, change, message) => {
    await expect(open(name, change)).rejects.toThrow(message);
  });
});

describe("Keras' tensors in a manifest of one's own", () => {
  it('come out as those of the topology', async () => {
    const { network, weights } = await open('mobilenet');
    const bytes = new Uint8Array(readFileSync(at('mobilenet', 'model.json')));
    const raw = await openWeights(memorySource('model.json', bytes), async (path) =>
      memorySource(path, new Uint8Array(readFileSync(at('mobilenet', path)))),
    );
    const blocksOf = async (source: WeightSource) => {
      const found = new Map<string, number[]>();
      for await (const block of weightBlocks(network, source, {
        dtype: 'f32',
        channelOrder: 'rgb',
      })) {
        const arrays = block.kind === 'conv' ? [block.weight, block.bias] : [block.values];
        const { name } = block.layer;
        // Of the one fully connected layer, whose columns come in place of rows, the sum tells enough.
        const sums = arrays.map((values) => values.reduce((sum, value) => sum + value, 0));
        found.set(
          `${name} ${block.kind.replace('columns', 'rows')}`,
          block.kind === 'conv' ? arrays.flatMap((values) => [...values]) : sums,
        );
      }
      return found;
    };
    const expected = await blocksOf(weights);
    const own = await blocksOf(raw);
    expect([...own.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [name, values] of expected) {
      own.get(name)?.forEach((value, i) => {
        expect(value, name).toBeCloseTo(values[i] as number, 5);
      });
    }
  });

  // Parameters as Keras counts them, those of batch normalisation included.
  it.each([
    ['mobilenet-v1-025', 475_544],
    ['mobilenet-v1-050', 1_342_536],
    ['mobilenet-v1-075', 2_601_976],
    ['mobilenet-v1-100', 4_253_864],
  ])('%s has %i parameters', (name, parameters) => {
    const network = buildGraph(mobilenetV1(name) as GraphManifest);
    const count = network.layers.filter(isWeighted).reduce((sum, layer) => {
      const { channels } = layer.output;
      const inputs =
        layer.type === 'linear'
          ? layer.input.channels
          : layer.input.channels / ('groups' in layer ? layer.groups : 1);
      const area =
        layer.type === 'windowconv' ? layer.window.kernel[0] * layer.window.kernel[1] : 1;
      return sum + channels * inputs * area + channels * (layer.reads?.batchNorm ? 4 : 1);
    }, 0);
    expect(count).toBe(parameters);
    expect(network.layers.at(-1)?.output.channels).toBe(1000);
    expect(architecturePreset(name)).toBeUndefined();
  });
});
