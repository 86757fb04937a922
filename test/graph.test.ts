import Ajv from 'ajv';
import { describe, expect, it } from 'vitest';
import schema from '../docs/manifest.schema.json';
import { weightBlocks } from '../src/model/blocks';
import { storedTensors } from '../src/model/encoding';
import {
  type GraphManifest,
  type GraphManifestLayer,
  type Padding,
  parseGraph,
} from '../src/model/graph/manifest';
import { buildGraph } from '../src/model/graph/network';
import { MemoryCache } from '../src/model/keep/cache';
import { KeptModelWriter, openKept } from '../src/model/keep/kept-model';
import { parseManifest, readManifest } from '../src/model/manifest';
import { isWeighted, type Network } from '../src/model/network';
import { elementCount, type WeightSource } from '../src/model/weight-source';
import type { WeightDtype } from '../src/numbers/dtypes';
import { testValues } from './harness/compare';
import { type SmallGraphName, smallGraph, smallGraphs } from './harness/small-graph';
import { graphForward, logitsOf } from './reference/graph';

const STEM: GraphManifestLayer = { type: 'conv', name: 'stem', outChannels: 8, kernel: 3 };
const GAP: GraphManifestLayer = { type: 'globalavgpool', name: 'gap' };

function manifest(
  layers: readonly GraphManifestLayer[],
  classes: number,
  size = 20,
): GraphManifest {
  return {
    format: 'score-cam-webgpu/model',
    version: 2,
    name: 'graph',
    description: 'a graph',
    licence: 'MIT',
    input: { width: size, height: size, mean: [0, 0, 0], std: [1, 1, 1], resize: 'cover' },
    layers,
    targetLayer: 'stem',
    labels: Array.from({ length: classes }, (_, i) => `thing ${i}`),
    weights: { format: 'onnx', file: 'none' },
  };
}

const shapesOf = (network: Network) =>
  Object.fromEntries(
    network.layers.map(({ name, output: { channels, height, width } }) => [
      name,
      [channels, height, width],
    ]),
  );

describe('manifests of version 2', () => {
  const validate = new Ajv({ strict: false }).compile(schema);

  it.each(Object.keys(smallGraphs) as SmallGraphName[])(
    '%s follows parser and schema',
    async (name) => {
      const json = JSON.parse(JSON.stringify(smallGraph(name).manifest));
      expect(validate(json)).toBe(true);
      expect(JSON.parse(JSON.stringify(await readManifest(json)))).toEqual(json);
    },
  );

  it.each([
    ['version', 3, '"version" is 3, must be 1'],
    ['layers.0.type', 'lstm', 'must be conv or scale or linear or maxpool or avgpool'],
    ['layers.0.kernel', 12, 'an integer from 1 to 11, or two of them'],
    ['layers.0.kernel', [3, 3, 3], 'an integer from 1 to 11, or two of them'],
    ['layers.0.kernel', undefined, '"layers[0].kernel" is missing'],
    ['layers.0.stride', [1, 5], 'an integer from 1 to 4'],
    ['layers.0.padding', 'valid', '"same", an integer from 0 to 11, or four of them'],
    ['layers.0.padding', [1, 1], '"same", an integer from 0 to 11, or four of them'],
    ['layers.0.groups', 0, '"layers[0].groups" is 0'],
    ['layers.0.outChannels', 1.5, '"layers[0].outChannels" is 1.5'],
    ['layers.0.activation', 'gelu', 'one of relu, relu6, hardswish, silu, sigmoid, hardsigmoid'],
    ['layers.0.activation', { ceiling: 0 }, 'number above 0 and below 10000'],
    ['layers.0.activation', { leakyRelu: 2 }, 'slope from 0 to 1'],
    ['layers.0.weight', 3, '"layers[0].weight" is 3'],
    ['layers.0.batchNorm', { scale: 'a' }, '"layers[0].batchNorm.shift" is missing'],
    ['layers.0.batchNorm.epsilon', -1, 'a number from 0 to below 1'],
    ['layers.0.inputs', [], 'a non-empty list of names'],
    ['layers.0.inputs', 'image', 'a non-empty list of names'],
    ['layers.1.ceil', 1, '"layers[1].ceil" is 1, must be true or false'],
    ['layers.1.countPadding', 'yes', 'must be true or false'],
    ['layers.1.kernel', 0, 'an integer from 1 to 4096'],
    ['weights.format', 'pickle', 'safetensors or pytorch or tensorflowjs or onnx or seeded'],
  ])('%s = %j is refused by parser and schema', async (path, value, message) => {
    const bad = JSON.parse(JSON.stringify(smallGraph('residual').manifest));
    const keys = path.split('.');
    const last = keys.pop() as string;
    const holder = keys.reduce((node, key) => node[key], bad);
    if (value === undefined) delete holder[last];
    else holder[last] = value;
    await expect(readManifest(bad)).rejects.toThrow(message);
    expect(validate(bad)).toBe(false);
  });

  it('layers of one version are refused in the other', () => {
    const graph = JSON.parse(JSON.stringify(smallGraph('residual').manifest));
    expect(() => parseManifest({ ...graph, version: 1 })).toThrow('"layers[0].bias" is missing');
    expect(validate({ ...graph, version: 1 })).toBe(false);
  });
});

describe('shapes of graphs', () => {
  const conv = (padding: Padding | undefined, kernel: number, stride: number): GraphManifestLayer =>
    ({
      ...STEM,
      padding,
      kernel,
      stride,
    }) as GraphManifestLayer;

  // TensorFlow's rule: ceil(size / stride) windows, the odd row of padding behind.
  it.each([
    [20, 3, 2, 10, [0, 0, 1, 1]],
    [21, 3, 2, 11, [1, 1, 1, 1]],
    [20, 3, 1, 20, undefined],
    [20, 5, 2, 10, [1, 1, 2, 2]],
    [20, 1, 2, 10, [0, 0, 0, 0]],
    [20, 2, 1, 20, [0, 0, 1, 1]],
    [20, 7, 4, 5, [1, 1, 2, 2]],
    [3, 11, 4, 1, [4, 4, 4, 4]],
  ])('SAME of %i pixels, kernel %i, stride %i', (size, kernel, stride, out, padding) => {
    const network = buildGraph(manifest([conv('same', kernel, stride), GAP], 8, size));
    const [stem] = network.layers;
    expect(stem?.output).toEqual({ channels: 8, height: out, width: out });
    if (padding) expect(stem).toMatchObject({ type: 'windowconv', window: { padding } });
    else expect(stem).toMatchObject({ type: 'conv', kernel: 3 });
  });

  // torch.nn.Conv2d and MaxPool2d, of 20 pixels.
  it.each([
    [conv(undefined, 7, 2), 10],
    [conv(0, 3, 2), 9],
    [conv([0, 1, 2, 1], 3, 1), 20],
    [{ ...STEM, kernel: 4 } as GraphManifestLayer, 19],
  ])('%j', (layer, out) => {
    expect(buildGraph(manifest([layer, GAP], 8)).layers[0]?.output.height).toBe(out);
  });

  it.each([
    [{ kernel: 3, stride: 2 }, 9],
    [{ kernel: 3, stride: 2, ceil: true }, 10],
    [{ kernel: 3, stride: 2, padding: 1 }, 10],
    [{ kernel: 3, stride: 2, padding: 1, ceil: true }, 11],
    // A window that would begin behind the input and its padding before it does not count.
    [{ kernel: 2, stride: 3, padding: 1, ceil: true }, 7],
    [{ kernel: 2, stride: 4, padding: 1, ceil: true }, 6],
    [{}, 10],
    [{ kernel: 20 }, 1],
  ])('pooling %j of 20 pixels', (options, out) => {
    const network = buildGraph(
      manifest([STEM, { type: 'maxpool', name: 'pool', ...options }, GAP], 8),
    );
    expect(network.layers[1]?.output.height).toBe(out);
  });

  it('joins', () => {
    const network = buildGraph(
      manifest(
        [
          STEM,
          { type: 'conv', name: 'other', outChannels: 5, kernel: 1, inputs: ['stem'] },
          { type: 'concat', name: 'both', inputs: ['other', 'stem', 'other'] },
          { type: 'scale', name: 'scaled' },
          { type: 'globalavgpool', name: 'squeezed' },
          { type: 'multiply', name: 'gated', inputs: ['scaled', 'squeezed'] },
          { type: 'add', name: 'sum', inputs: ['gated', 'both'] },
          GAP,
          { type: 'linear', name: 'fc', outFeatures: 3 },
        ],
        3,
      ),
    );
    expect(shapesOf(network)).toEqual({
      stem: [8, 20, 20],
      other: [5, 20, 20],
      both: [18, 20, 20],
      scaled: [18, 20, 20],
      squeezed: [18, 1, 1],
      gated: [18, 20, 20],
      sum: [18, 20, 20],
      gap: [18, 1, 1],
      fc: [3, 1, 1],
    });
  });

  const other: GraphManifestLayer = { type: 'conv', name: 'other', outChannels: 5, kernel: 1 };
  it.each<[string, readonly GraphManifestLayer[], number, string]>([
    [
      'a layer behind',
      [{ ...STEM, inputs: ['gap'] }, GAP],
      8,
      'layer "stem" reads "gap", which is no layer before it',
    ],
    [
      'a pooling first',
      [{ type: 'avgpool', name: 'stem' }, GAP],
      3,
      'the first layer must be a convolution',
    ],
    ['two of a name', [STEM, STEM, GAP], 8, 'two layers are called "stem"'],
    ['the image as a name', [STEM, { ...STEM, name: 'image' }], 8, 'two layers are called "image"'],
    [
      'groups',
      [STEM, { ...other, groups: 3 } as GraphManifestLayer, GAP],
      5,
      '3 groups, which do not divide its 8 input and 5 output',
    ],
    [
      'sums of two shapes',
      [STEM, other, { type: 'add', name: 'sum', inputs: ['stem', 'other'] }, GAP],
      8,
      'reads 8x20x20 and 5x20x20; shapes must agree',
    ],
    [
      'a gate of another number of channels',
      [
        STEM,
        other,
        { type: 'globalavgpool', name: 'g' },
        { type: 'multiply', name: 'm', inputs: ['stem', 'g'] },
        GAP,
      ],
      8,
      'a factor for each channel',
    ],
    [
      'stacks of two sizes',
      [
        STEM,
        { type: 'maxpool', name: 'p' },
        { type: 'concat', name: 'c', inputs: ['p', 'stem'] },
        GAP,
      ],
      16,
      'heights and widths must agree',
    ],
    [
      'a sum of one',
      [STEM, { type: 'add', name: 'sum', inputs: ['stem'] }, GAP],
      8,
      'it takes two tensors',
    ],
    [
      'a convolution of two',
      [STEM, { ...other, inputs: ['stem', 'stem'] }, GAP],
      5,
      'reads 2 tensors, takes one',
    ],
    [
      'nothing left',
      [STEM, { type: 'maxpool', name: 'p', kernel: 21 }, GAP],
      8,
      'layer "p" pools 20x20 to nothing',
    ],
    [
      'windows of padding',
      [STEM, { type: 'maxpool', name: 'p', padding: 2 }, GAP],
      8,
      'windows of nothing but padding',
    ],
    [
      'padding counted beyond',
      [
        STEM,
        { type: 'avgpool', name: 'p', kernel: 3, stride: 2, ceil: true, countPadding: true },
        GAP,
      ],
      8,
      'leave out "ceil"',
    ],
    [
      'a sum in the head',
      [
        STEM,
        GAP,
        { type: 'linear', name: 'a', outFeatures: 3 },
        { type: 'add', name: 'b', inputs: ['a', 'a'] },
      ],
      3,
      'layer "b" (add) comes after the features were flattened',
    ],
    [
      'what nobody reads',
      [STEM, { ...other, inputs: ['stem'] }, { ...GAP, inputs: ['stem'] }],
      8,
      'layer "other" (conv) is read by no other layer',
    ],
    ['other classes', [STEM, GAP], 7, 'the last layer has 8 outputs, but there are 7 labels'],
    [
      'a filter of too many weights',
      [
        { ...STEM, outChannels: 65536 },
        { type: 'conv', name: 'big', outChannels: 65536, kernel: 11 },
      ],
      8,
      'weights at once',
    ],
  ])('%s is refused', (_what, layers, classes, message) => {
    expect(() => buildGraph(parseGraph(manifest(layers, classes)))).toThrow(message);
  });
});

/** The tensors of a network in the form they are kept in. */
async function kept(
  network: Network,
  source: WeightSource,
  dtype: WeightDtype,
): Promise<WeightSource> {
  const cache = new MemoryCache();
  const writer = await KeptModelWriter.start(cache, 'key', 0);
  for await (const block of weightBlocks(network, source, { dtype })) {
    if (block.kind !== 'columns') await writer.putBlock(block, dtype);
  }
  await writer.finish();
  return (await openKept(cache, 'key')) as WeightSource;
}

/** As it is read from the kept form: without the tensors of others. */
function keptNetwork(network: Network): Network {
  return {
    ...network,
    layers: network.layers.map((layer) =>
      isWeighted(layer) ? { ...layer, reads: undefined } : layer,
    ),
  };
}

describe('weights of graphs', () => {
  const imageOf = ({ input }: Network): number[] =>
    Array.from(testValues(3 * input.height * input.width, 9), (value) => 2 * value);

  /** The largest difference of logits, as a share of their spread. */
  async function difference(network: Network, weights: WeightSource, dtype: WeightDtype) {
    const image = imageOf(network);
    const expected = logitsOf(network, await graphForward(network, weights, image));
    const stored = await kept(network, weights, dtype);
    expect([...stored.tensors].map(([name, { shape }]) => [name, shape]).sort()).toEqual(
      storedTensors(network, dtype)
        .map(({ name, shape }) => [name, shape])
        .sort(),
    );
    // Through the blocks once more: what was kept is recognised, and nothing is folded twice.
    const again = await kept(network, stored, 'f32');
    const own = keptNetwork(network);
    const found = logitsOf(own, await graphForward(own, again, image));
    const spread = Math.max(...expected) - Math.min(...expected);
    return Math.max(...found.map((value, i) => Math.abs(value - (expected[i] as number)))) / spread;
  }

  it.each(Object.keys(smallGraphs) as SmallGraphName[])(
    '%s: folded and kept, they give the logits of the reference',
    async (name) => {
      const { network, weights } = smallGraph(name);
      expect(await difference(network, weights, 'f32')).toBeLessThan(1e-5);
      const half = await difference(network, weights, 'f16');
      expect(half).toBeGreaterThan(1e-6);
      expect(half).toBeLessThan(0.02);
      expect(await difference(network, weights, 'int8')).toBeLessThan(0.05);
    },
  );

  const norm = (name: string) => ({
    scale: `${name}.scale`,
    shift: `${name}.shift`,
    mean: `${name}.mean`,
    variance: `${name}.variance`,
    epsilon: 0.01,
  });

  function sourceOf(shapes: Readonly<Record<string, readonly number[]>>): WeightSource {
    const all = Object.entries(shapes).map(([name, shape], i) => {
      const values = Float32Array.from(testValues(elementCount(shape), i + 1), (value) =>
        name.endsWith('variance') ? 1 + value * value : value,
      );
      return [name, { shape, dtype: 'F32' as const, values }] as const;
    });
    const tensors = new Map(all);
    return {
      name: 'file',
      tensors,
      read: async (name, start, count) =>
        (tensors.get(name)?.values ?? new Float32Array(0)).slice(start, start + count),
    };
  }

  it('fold into fully connected layers, be shared, be absent', async () => {
    const network = buildGraph(
      manifest(
        [
          { ...STEM, weight: 'w', batchNorm: norm('n') } as GraphManifestLayer,
          {
            type: 'conv',
            name: 'again',
            outChannels: 8,
            kernel: 3,
            weight: 'v',
            batchNorm: norm('n'),
          },
          { type: 'scale', name: 'scaled', weight: 'factor', bias: 'n.shift' },
          { type: 'scale', name: 'as-it-is' },
          { type: 'maxpool', name: 'pool', kernel: 10 },
          { type: 'linear', name: 'fc1', outFeatures: 8, weight: 'fc', batchNorm: norm('n') },
          { type: 'linear', name: 'fc2', outFeatures: 8, weight: 'fc2', activation: 'relu' },
          { type: 'linear', name: 'fc3', outFeatures: 3, bias: 'b3' },
        ],
        3,
      ),
    );
    const weights = sourceOf({
      'n.mean': [8],
      'n.scale': [8],
      w: [8, 3, 3, 3],
      v: [8, 8, 3, 3],
      'n.variance': [8],
      'n.shift': [8],
      factor: [8],
      fc: [8, 32],
      fc2: [8, 8],
      b3: [3],
    });
    expect(await difference(network, weights, 'f32')).toBeLessThan(1e-5);
  });

  it.each<[string, readonly number[] | undefined, string]>([
    ['w', [8, 3, 3, 1], 'tensor "w" is F32 8x3x3x1, layer "stem" needs 8x3x3x3'],
    ['n.mean', [9], 'tensor "n.mean" is F32 9, layer "stem" needs 8'],
    ['n.variance', undefined, 'tensor "n.variance" (layer "stem") is missing'],
    ['b', undefined, 'tensor "b" (layer "stem") is missing'],
  ])('%s of shape %j is refused', async (tensor, shape, message) => {
    const layer = { ...STEM, weight: 'w', bias: 'b', batchNorm: norm('n') } as GraphManifestLayer;
    const network = buildGraph(manifest([layer, GAP], 8));
    const shapes: Record<string, readonly number[]> = {
      w: [8, 3, 3, 3],
      b: [8],
      'n.scale': [8],
      'n.shift': [8],
      'n.mean': [8],
      'n.variance': [8],
    };
    await kept(network, sourceOf(shapes), 'f32');
    if (shape) shapes[tensor] = shape;
    else delete shapes[tensor];
    await expect(kept(network, sourceOf(shapes), 'f32')).rejects.toThrow(message);
  });

  it('a variance that is negative is refused, not folded to NaN', async () => {
    const layer = { ...STEM, weight: 'w', batchNorm: norm('n') } as GraphManifestLayer;
    const network = buildGraph(manifest([layer, GAP], 8));
    const source = sourceOf({
      w: [8, 3, 3, 3],
      'n.scale': [8],
      'n.shift': [8],
      'n.mean': [8],
      'n.variance': [8],
    });
    const read: WeightSource['read'] = async (name, start, count) =>
      name === 'n.variance' ? new Float32Array(count).fill(-1) : source.read(name, start, count);
    await expect(kept(network, { ...source, read }, 'f32')).rejects.toThrow(
      'w with its batch normalisation folded in has NaN at element 0; every weight must be finite',
    );
  });
});
