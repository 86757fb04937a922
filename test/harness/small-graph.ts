import {
  type GraphConv,
  type GraphLinear,
  type GraphManifestLayer,
  parseGraph,
} from '../../src/model/graph/manifest';
import { buildGraph } from '../../src/model/graph/network';
import type { Model } from '../../src/model/model';
import { isWeighted, type Network, weightShape } from '../../src/model/network';
import { elementCount, type WeightSource } from '../../src/model/weight-source';
import { testValues } from './compare';

/*
 * Networks with branches, small enough for a reference in nested loops: together they have every layer that a graph
 * manifest knows, in every form that the kernels tell apart.
 */

type ConvOptions = Partial<Omit<GraphConv, 'type' | 'name' | 'outChannels' | 'kernel'>>;

/** With a bias; tensors that others have are called after the layer. */
function conv(
  name: string,
  outChannels: number,
  kernel: GraphConv['kernel'],
  options: ConvOptions = {},
): GraphConv {
  const tensors = { weight: `${name}.weight`, bias: `${name}.bias` };
  return { type: 'conv', name, outChannels, kernel, ...tensors, ...options };
}

/** With batch normalisation in place of a bias. */
function normed(
  name: string,
  outChannels: number,
  kernel: GraphConv['kernel'],
  options: ConvOptions = {},
): GraphConv {
  return conv(name, outChannels, kernel, {
    bias: undefined,
    batchNorm: normOf(name),
    ...options,
  });
}

function normOf(name: string) {
  const tensor = (of: string): string => `${name}.norm.${of}`;
  return {
    scale: tensor('scale'),
    shift: tensor('shift'),
    mean: tensor('mean'),
    variance: tensor('variance'),
    epsilon: 1e-3,
  };
}

function linear(
  name: string,
  outFeatures: number,
  activation?: GraphLinear['activation'],
): GraphLinear {
  const tensors = { weight: `${name}.weight`, bias: `${name}.bias` };
  return { type: 'linear', name, outFeatures, ...tensors, activation };
}

const GAP = { type: 'globalavgpool', name: 'gap' } as const;

/** Strided stem with padding, overlapping pooling, additions, a shortcut that projects. */
const RESIDUAL: readonly GraphManifestLayer[] = [
  normed('stem', 12, 7, { stride: 2, padding: 3, activation: 'relu' }),
  { type: 'maxpool', name: 'pool', kernel: 3, stride: 2, padding: 1 },
  normed('one.a', 12, 3, { activation: 'relu' }),
  normed('one.b', 12, 3),
  { type: 'add', name: 'one', inputs: ['one.b', 'pool'], activation: 'relu' },
  normed('two.a', 18, 3, { stride: 2, padding: 1, activation: 'relu' }),
  normed('two.b', 18, 3),
  normed('two.short', 18, 1, { inputs: ['one'], stride: 2, padding: 0 }),
  { type: 'add', name: 'two', inputs: ['two.b', 'two.short'], activation: 'relu' },
  GAP,
  linear('fc', 5),
];

/** Depthwise convolutions, ReLU6, linear bottlenecks; TensorFlow's padding, which is asymmetric at stride 2. */
const MOBILE: readonly GraphManifestLayer[] = [
  normed('stem', 10, 3, { stride: 2, padding: 'same', activation: 'relu6' }),
  normed('one.depthwise', 10, 3, { groups: 10, activation: 'relu6' }),
  normed('one', 7, 1),
  normed('two.expand', 21, 1, { activation: 'relu6' }),
  normed('two.depthwise', 21, 3, { groups: 21, padding: 'same', activation: 'relu6' }),
  normed('two.project', 7, 1),
  { type: 'add', name: 'two', inputs: ['one', 'two.project'] },
  normed('three.expand', 19, 1, { activation: { ceiling: 2 } }),
  normed('three.depthwise', 19, 3, {
    groups: 19,
    stride: 2,
    padding: 'same',
    activation: { ceiling: 2 },
  }),
  normed('three', 20, 1, { activation: 'relu6' }),
  GAP,
  linear('fc', 4),
];

/** No padding, pooling that reaches over the edge, concatenation, and a classifier that is a convolution. */
const FIRE: readonly GraphManifestLayer[] = [
  conv('stem', 9, 3, { stride: 2, padding: 0, activation: 'relu' }),
  { type: 'maxpool', name: 'pool', kernel: 3, stride: 2, ceil: true },
  conv('squeeze', 4, 1, { activation: 'relu' }),
  conv('expand1', 5, 1, { inputs: ['squeeze'], activation: 'relu' }),
  conv('expand3', 6, 3, { inputs: ['squeeze'], activation: 'relu' }),
  { type: 'concat', name: 'fire', inputs: ['expand1', 'expand3'] },
  conv('classes', 6, 1, { activation: 'relu' }),
  GAP,
];

/** Concatenations of concatenations, normalisation that no convolution before it can take in, average pooling. */
const DENSE: readonly GraphManifestLayer[] = [
  normed('stem', 8, 7, { stride: 2, padding: 3, activation: 'relu' }),
  { type: 'maxpool', name: 'pool', kernel: 3, stride: 2, padding: 1 },
  { type: 'scale', name: 'one.norm', batchNorm: normOf('one.norm'), activation: 'relu' },
  normed('one.a', 11, 1, { activation: 'relu' }),
  conv('one.b', 5, 3, { bias: undefined }),
  { type: 'concat', name: 'one', inputs: ['pool', 'one.b'] },
  { type: 'scale', name: 'two.norm', batchNorm: normOf('two.norm'), activation: 'relu' },
  normed('two.a', 11, 1, { activation: 'relu' }),
  conv('two.b', 5, 3, { bias: undefined }),
  { type: 'concat', name: 'two', inputs: ['one', 'two.b'] },
  { type: 'scale', name: 'transition.norm', batchNorm: normOf('transition'), activation: 'relu' },
  conv('transition.conv', 9, 1, { bias: undefined }),
  { type: 'avgpool', name: 'transition', kernel: 2 },
  { type: 'scale', name: 'norm', batchNorm: normOf('norm'), activation: 'relu' },
  GAP,
  linear('fc', 5),
];

/** Gates by channel, every activation with a curve, fully connected layers with one between them. */
const GATES: readonly GraphManifestLayer[] = [
  normed('stem', 8, 3, { stride: 2, padding: 1, activation: 'hardswish' }),
  normed('one.depthwise', 8, 5, { groups: 8, padding: 2, activation: 'hardswish' }),
  { type: 'globalavgpool', name: 'one.squeeze' },
  conv('one.reduce', 3, 1, { activation: 'relu' }),
  conv('one.gate', 8, 1, { activation: 'hardsigmoid' }),
  { type: 'multiply', name: 'one.gated', inputs: ['one.depthwise', 'one.gate'] },
  normed('one.project', 8, 1),
  { type: 'add', name: 'one', inputs: ['one.project', 'stem'] },
  normed('two.expand', 14, 1, { activation: 'silu' }),
  normed('two.depthwise', 14, 3, { groups: 14, stride: 2, padding: 1, activation: 'silu' }),
  { type: 'globalavgpool', name: 'two.squeeze' },
  conv('two.reduce', 4, 1, { activation: 'silu' }),
  conv('two.gate', 14, 1, { activation: 'sigmoid' }),
  { type: 'multiply', name: 'two.gated', inputs: ['two.depthwise', 'two.gate'] },
  conv('two', 12, 1, { activation: 'hardswish' }),
  GAP,
  linear('fc1', 9, 'hardswish'),
  linear('fc2', 4),
];

/** Groups, kernels and strides that differ each way, asymmetric padding, leaky ReLU; a head over what is flattened. */
const GROUPS: readonly GraphManifestLayer[] = [
  conv('stem', 12, [3, 5], {
    stride: [2, 1],
    padding: [0, 1, 2, 3],
    activation: { leakyRelu: 0.1 },
  }),
  conv('grouped', 18, 3, { groups: 3, activation: { leakyRelu: 0.2 } }),
  conv('doubled', 36, 3, { groups: 18, stride: 2, padding: 'same', activation: 'relu' }),
  conv('narrow', 20, [1, 4], { groups: 2, padding: [0, 2, 0, 1], stride: [1, 3] }),
  conv('plain', 7, 2, { padding: [1, 0, 0, 1], activation: 'relu' }),
  { type: 'maxpool', name: 'pool' },
  linear('fc1', 8, 'relu'),
  linear('fc2', 3),
];

/** Poolings of all kinds, in a row and side by side. */
const POOLS: readonly GraphManifestLayer[] = [
  conv('stem', 6, 3, { activation: 'relu' }),
  { type: 'maxpool', name: 'halved' },
  { type: 'maxpool', name: 'max', kernel: 3, stride: 1, padding: 1, inputs: ['halved'] },
  { type: 'avgpool', name: 'average', kernel: 3, stride: 1, padding: 'same', inputs: ['halved'] },
  {
    type: 'avgpool',
    name: 'counted',
    kernel: 3,
    stride: 1,
    padding: 1,
    countPadding: true,
    inputs: ['halved'],
  },
  { type: 'concat', name: 'all', inputs: ['max', 'average', 'counted', 'halved'] },
  conv('mixed', 9, 1, { activation: 'relu' }),
  { type: 'maxpool', name: 'over', kernel: [2, 3], stride: 2, ceil: true },
  { type: 'avgpool', name: 'overAverage', kernel: 3, stride: 2, ceil: true, padding: 1 },
  { type: 'globalavgpool', name: 'gap' },
  linear('fc', 4),
];

/** What nobody builds, and the format allows: tensors read by many, activations alone, a layer joined with itself. */
const KNOTS: readonly GraphManifestLayer[] = [
  conv('stem', 6, 3, { stride: 3, padding: 1 }),
  { type: 'activation', name: 'bent', activation: 'silu' },
  { type: 'add', name: 'twice', inputs: ['bent', 'bent'], activation: { leakyRelu: 0.3 } },
  { type: 'multiply', name: 'square', inputs: ['stem', 'twice'], activation: 'hardsigmoid' },
  { type: 'concat', name: 'pair', inputs: ['square', 'stem', 'square'], activation: 'relu6' },
  { type: 'concat', name: 'nested', inputs: ['bent', 'pair'] },
  conv('wide', 16, 11, { padding: 5, activation: 'relu' }),
  { type: 'scale', name: 'scaled', weight: 'scaled.weight', bias: 'scaled.bias' },
  { type: 'scale', name: 'shifted', bias: 'shifted.bias', activation: 'sigmoid' },
  { type: 'add', name: 'sum', inputs: ['wide', 'shifted'], activation: 'hardswish' },
  conv('unbiased', 5, 3, { inputs: ['sum'], bias: undefined, batchNorm: normOf('unbiased') }),
  conv('both', 5, 1, { batchNorm: normOf('both'), activation: 'relu' }),
  { type: 'add', name: 'end', inputs: ['both', 'unbiased'] },
  GAP,
];

/** A scale of the image itself, which the mask is fused into, and tensors of one channel. */
const SINGLE: readonly GraphManifestLayer[] = [
  { type: 'scale', name: 'input', batchNorm: normOf('input') },
  conv('one', 1, 3, { stride: 2, padding: 1, activation: { leakyRelu: 0.1 } }),
  { type: 'scale', name: 'scaled', weight: 'scaled.weight', bias: 'scaled.bias' },
  conv('same', 1, 3, { padding: [0, 2, 2, 0], activation: 'silu' }),
  conv('many', 9, 5, { inputs: ['same'], stride: 2, padding: 2, activation: 'relu' }),
  GAP,
  linear('fc', 3),
];

interface SmallGraph {
  readonly layers: readonly GraphManifestLayer[];
  readonly targetLayer: string;
  readonly classes: number;
}

export const smallGraphs = {
  residual: { layers: RESIDUAL, targetLayer: 'two', classes: 5 },
  mobile: { layers: MOBILE, targetLayer: 'three', classes: 4 },
  fire: { layers: FIRE, targetLayer: 'fire', classes: 6 },
  dense: { layers: DENSE, targetLayer: 'norm', classes: 5 },
  gates: { layers: GATES, targetLayer: 'two', classes: 4 },
  groups: { layers: GROUPS, targetLayer: 'plain', classes: 3 },
  pools: { layers: POOLS, targetLayer: 'overAverage', classes: 4 },
  single: { layers: SINGLE, targetLayer: 'many', classes: 3 },
  knots: { layers: KNOTS, targetLayer: 'end', classes: 5 },
} as const satisfies Readonly<Record<string, SmallGraph>>;

export type SmallGraphName = keyof typeof smallGraphs;

export interface SmallGraphOptions {
  readonly width?: number;
  readonly height?: number;
  readonly seed?: number;
}

/** One of them with reproducible random weights. */
export function smallGraph(name: SmallGraphName, options: SmallGraphOptions = {}): Model {
  const { layers, targetLayer, classes } = smallGraphs[name];
  const { width = 29, height = 23, seed = 1 } = options;
  const manifest = parseGraph({
    format: 'score-cam-webgpu/model',
    version: 2,
    name,
    description: 'a small network with random weights',
    licence: 'MIT',
    input: { width, height, mean: [0.5, 0.4, 0.3], std: [0.2, 0.25, 0.3], resize: 'cover' },
    layers,
    targetLayer,
    labels: Array.from({ length: classes }, (_, i) => `thing ${i}`),
    weights: { format: 'safetensors', file: 'none' },
  });
  const network = buildGraph(manifest);
  return { manifest, network, weights: graphWeights(network, seed) };
}

/** Values under which activations are about as large from layer to layer. */
export function graphWeights(network: Network, seed: number): WeightSource {
  const tensors = new Map<string, { shape: number[]; dtype: 'F32'; values: Float32Array }>();
  const add = (name: string | undefined, shape: number[], of: (value: number) => number): void => {
    if (name === undefined) return;
    const values = testValues(elementCount(shape), 100 * seed + tensors.size).map(of);
    tensors.set(name, { shape, dtype: 'F32', values });
  };
  for (const layer of network.layers) {
    if (!isWeighted(layer)) continue;
    const { weight, bias, batchNorm } = layer.reads ?? { weight: layer.weight, bias: layer.bias };
    const shape = weightShape(layer);
    const each = [layer.output.channels];
    const inputs = elementCount(shape.slice(1));
    const isScale = inputs === 1 && each[0] === layer.input.channels;
    const bound = Math.sqrt(6 / inputs);
    add(weight, isScale ? each : shape, (value) => (isScale ? 1 + value / 4 : bound * value));
    add(bias, each, (value) => value / 10);
    if (!batchNorm) continue;
    add(batchNorm.scale, each, (value) => 1 + value / 5);
    add(batchNorm.shift, each, (value) => value / 2);
    add(batchNorm.mean, each, (value) => value / 5);
    add(batchNorm.variance, each, (value) => 1 + value / 2);
  }
  return {
    name: 'random weights',
    tensors,
    read: async (name, start, count) => {
      const { values } = tensors.get(name) as { values: Float32Array };
      return new Float32Array(values.subarray(start, start + count));
    },
  };
}
