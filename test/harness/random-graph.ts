import {
  type GraphActivation,
  type GraphManifestLayer,
  parseGraph,
} from '../../src/model/graph/manifest';
import { buildGraph } from '../../src/model/graph/network';
import type { Model } from '../../src/model/model';
import type { Shape } from '../../src/model/network';
import { graphWeights } from './small-graph';

/* Networks that nobody thought of: layers, sizes and who reads whom by chance, the same for the same seed. */

const ACTIVATIONS: readonly (GraphActivation | undefined)[] = [
  undefined,
  'relu',
  'relu',
  { leakyRelu: 0.2 },
  'relu6',
  { ceiling: 1.5 },
  'hardswish',
  'silu',
  'sigmoid',
  'hardsigmoid',
];

/** Bounds of values, so that products of products stay small. */
const GATES: readonly GraphActivation[] = ['sigmoid', 'hardsigmoid'];

const CLASSES = 3;

class Chance {
  private state: number;

  constructor(seed: number) {
    this.state = Math.imul(seed + 1, 0x9e3779b9) >>> 0;
  }

  /** 0 ... count - 1 */
  below(count: number): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.state / 2 ** 32) * count);
  }

  from<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  is(oneIn: number): boolean {
    return this.below(oneIn) === 0;
  }
}

interface Tensor {
  readonly name: string;
  readonly shape: Shape;
}

/** Layers as they are added, with the shapes that the library works out. */
class Growing {
  readonly layers: GraphManifestLayer[] = [];
  readonly tensors: Tensor[] = [];
  readonly unread = new Set<string>();
  private readonly input = { width: 21, height: 17 };

  constructor(readonly chance: Chance) {}

  add(layer: GraphManifestLayer): Tensor {
    this.layers.push(layer);
    const { output } = this.network(layer.name).layers.find(({ name }) => name === layer.name) as {
      readonly output: Shape;
    };
    const tensor = { name: layer.name, shape: output };
    this.tensors.push(tensor);
    for (const input of layer.inputs ?? []) this.unread.delete(input);
    this.unread.add(layer.name);
    return tensor;
  }

  /** Of what there is so far: everything that is not read is made an output of it. */
  private network(until: string) {
    const open = this.tensors.filter(({ name }) => this.unread.has(name));
    const read = new Set(this.layers.at(-1)?.inputs ?? []);
    const names = [...open.map(({ name }) => name).filter((name) => !read.has(name)), until];
    const ends = names.map((name, i): GraphManifestLayer => {
      return { type: 'globalavgpool', name: `probe ${i}`, inputs: [name] };
    });
    const inputs = ends.map(({ name }) => name);
    return buildGraph(
      this.manifest([
        ...this.layers,
        ...ends,
        { type: 'concat', name: 'probes', inputs },
        { type: 'linear', name: 'fc', outFeatures: CLASSES, weight: 'w', bias: 'b' },
      ]),
    );
  }

  manifest(layers: readonly GraphManifestLayer[]) {
    return parseGraph({
      format: 'score-cam-webgpu/model',
      version: 2,
      name: 'by chance',
      description: 'a network by chance',
      licence: 'MIT',
      input: { ...this.input, mean: [0.5, 0.4, 0.3], std: [0.2, 0.25, 0.3], resize: 'cover' },
      layers,
      targetLayer: layers[0]?.name,
      labels: Array.from({ length: CLASSES }, (_, i) => `thing ${i}`),
      weights: { format: 'safetensors', file: 'none' },
    });
  }
}

/** One of them with random weights. */
export function randomGraph(seed: number): Model {
  const chance = new Chance(seed);
  const growing = new Growing(chance);
  convolve(growing, { name: 'image', shape: { channels: 3, height: 17, width: 21 } });
  const count = 4 + chance.below(12);
  while (growing.layers.length < count) grow(growing);
  const ends = growing.tensors
    .filter(({ name }) => growing.unread.has(name))
    .map(({ name, shape }) =>
      shape.height * shape.width > 1
        ? growing.add({ type: 'globalavgpool', name: `${name} end`, inputs: [name] }).name
        : name,
    );
  if (ends.length > 1) growing.add({ type: 'concat', name: 'ends', inputs: ends });
  const { layers } = growing;
  const manifest = growing.manifest([
    ...layers,
    {
      type: 'linear',
      name: 'fc',
      outFeatures: CLASSES,
      weight: 'fc.weight',
      bias: 'fc.bias',
    },
  ]);
  const network = buildGraph(manifest);
  return { manifest, network, weights: graphWeights(network, seed) };
}

function grow(growing: Growing): void {
  const { chance, tensors } = growing;
  // What nobody reads yet, more often than not.
  const open = tensors.filter(({ name }) => growing.unread.has(name));
  const tensor = chance.is(3) ? chance.from(tensors) : chance.from(open);
  const name = `layer ${growing.layers.length}`;
  const inputs = [tensor.name];
  const activation = chance.from(ACTIVATIONS);
  switch (chance.below(9)) {
    case 0:
    case 1:
      convolve(growing, tensor);
      return;
    case 2:
      growing.add({ type: 'activation', name, inputs, activation: activation ?? 'relu' });
      return;
    case 3:
      pool(growing, tensor);
      return;
    case 4:
    case 5:
      concatenate(growing, tensor);
      return;
    case 6:
      growing.add({ type: 'add', name, inputs: [tensor.name, alike(growing, tensor)], activation });
      return;
    case 7: {
      const gate = growing.add({
        type: 'activation',
        name: `${name} gate`,
        inputs: [alike(growing, tensor)],
        activation: chance.from(GATES),
      });
      growing.add({ type: 'multiply', name, inputs: [tensor.name, gate.name], activation });
      return;
    }
    default: {
      const mean = growing.add({ type: 'globalavgpool', name: `${name} mean`, inputs });
      const gate = convolve(growing, mean, tensor.shape.channels, chance.from(GATES));
      growing.add({ type: 'multiply', name, inputs: [tensor.name, gate.name], activation });
    }
  }
}

function convolve(
  growing: Growing,
  { name: input, shape }: Tensor,
  outChannels?: number,
  gate?: GraphActivation,
): Tensor {
  const { chance } = growing;
  const name = `layer ${growing.layers.length}`;
  const fits = (size: number): number => (chance.is(3) ? 1 : Math.min(3, size));
  const isPlain = outChannels !== undefined || chance.is(3);
  const side = fits(Math.min(shape.height, shape.width));
  const kernel: [number, number] = isPlain
    ? [side - ((side + 1) % 2), side - ((side + 1) % 2)]
    : [1 + chance.below(Math.min(5, shape.height)), 1 + chance.below(Math.min(5, shape.width))];
  const divisors = Array.from({ length: shape.channels }, (_, i) => i + 1).filter(
    (divisor) => shape.channels % divisor === 0,
  );
  const groups = isPlain ? 1 : chance.from([1, 1, ...divisors]);
  const pad = (axis: 0 | 1): number => chance.below(kernel[axis]);
  const isNormed = chance.is(2);
  return growing.add({
    type: 'conv',
    name,
    inputs: [input],
    outChannels: outChannels ?? groups * (1 + chance.below(Math.ceil(14 / groups))),
    kernel,
    groups,
    ...(isPlain
      ? {}
      : {
          stride: [1 + chance.below(2), 1 + chance.below(2)],
          padding: chance.is(3) ? ('same' as const) : ([pad(0), pad(1), pad(0), pad(1)] as const),
        }),
    activation: gate ?? chance.from(ACTIVATIONS),
    weight: `${name}.weight`,
    ...(isNormed && chance.is(2) ? {} : { bias: `${name}.bias` }),
    ...(isNormed
      ? {
          batchNorm: {
            scale: `${name}.scale`,
            shift: `${name}.shift`,
            mean: `${name}.mean`,
            variance: `${name}.variance`,
            epsilon: 1e-3,
          },
        }
      : {}),
  });
}

function pool(growing: Growing, { name: input, shape }: Tensor): void {
  const { chance } = growing;
  const base = {
    type: chance.from(['maxpool', 'avgpool'] as const),
    name: `layer ${growing.layers.length}`,
    inputs: [input],
  };
  const most = Math.min(shape.height, shape.width);
  if (most >= 2 && chance.is(3)) {
    growing.add(base);
    return;
  }
  const kernel = 1 + chance.below(Math.min(4, most));
  const padding = chance.below(Math.ceil(kernel / 2));
  const ceil = chance.is(2);
  const countPadding = !ceil && chance.is(2);
  growing.add({ ...base, kernel, stride: 1 + chance.below(3), padding, ceil, countPadding });
}

/** With others of its height and width, itself among them perhaps. */
function concatenate(growing: Growing, tensor: Tensor): void {
  const { chance } = growing;
  const { height, width } = tensor.shape;
  const fitting = growing.tensors.filter(
    ({ shape }) => shape.height === height && shape.width === width && shape.channels < 40,
  );
  const others = Array.from({ length: 1 + chance.below(3) }, () =>
    chance.from([...fitting, tensor]),
  );
  const inputs = [tensor, ...others].map(({ name }) => name);
  growing.add({
    type: 'concat',
    name: `layer ${growing.layers.length}`,
    inputs: chance.is(2) ? inputs : inputs.reverse(),
    activation: chance.is(3) ? chance.from(ACTIVATIONS) : undefined,
  });
}

/** The name of a tensor of the same shape, which may be the same. */
function alike(growing: Growing, { shape }: Tensor): string {
  const fitting = growing.tensors.filter(
    (one) =>
      one.shape.channels === shape.channels &&
      one.shape.height === shape.height &&
      one.shape.width === shape.width,
  );
  return growing.chance.from(fitting).name;
}
