import {
  ceilingCode,
  HARD_SIGMOID,
  HARD_SWISH,
  NO_ACTIVATION,
  RELU,
  SIGMOID,
  SILU,
} from '../../numbers/activation';
import {
  Building,
  column,
  halved,
  IMAGE,
  type Layer,
  type Network,
  type Shape,
  sizeOf,
  type WeightedLayer,
  type Window,
} from '../network';
import type {
  GraphActivation,
  GraphConv,
  GraphJoin,
  GraphLinear,
  GraphManifest,
  GraphManifestLayer,
  GraphPool,
  GraphScale,
  Padding,
} from './manifest';

/**
 * The network of a graph manifest: shapes worked out, padding resolved, and whatever the kernels of sequential networks
 * compute given as such layers.
 * @throws ScoreCamError `network` naming the layer where something does not fit
 */
export function buildGraph(manifest: GraphManifest): Network {
  const building = new Building(manifest);
  for (const entry of manifest.layers.flatMap(parted)) building.add(layerOf(building, entry));
  const network = building.finish();
  checkReaders(building, network);
  checkHead(building, network);
  return network;
}

/** What nothing computes that could bend it as well, as two layers. */
function parted(entry: GraphManifestLayer): GraphManifestLayer[] {
  const { name, type } = entry;
  if ((type !== 'concat' && type !== 'globalavgpool') || entry.activation === undefined)
    return [entry];
  const before = `${name}.before`;
  const { activation, ...plain } = entry;
  return [
    { ...plain, name: before },
    { type: 'activation', name, inputs: [before], activation },
  ];
}

function layerOf(building: Building, entry: GraphManifestLayer): Layer {
  const { name, inputs = [building.last] } = entry;
  const shapes = inputs.map((of) => building.shapeOf(of, name));
  const input = shapes[0] as Shape;
  const joins = entry.type === 'add' || entry.type === 'multiply' || entry.type === 'concat';
  if (inputs.length !== 1 && !joins) {
    building.fail(`layer "${name}" (${entry.type}) reads ${inputs.length} tensors, takes one.`);
  }
  const base = { name, inputs, input };
  switch (entry.type) {
    case 'conv':
      return convolution(building, base, entry);
    case 'scale':
      return {
        ...base,
        ...weightsOf(entry),
        type: 'windowconv',
        output: input,
        window: POINT,
        groups: input.channels,
      };
    case 'linear':
      return linear(base, entry);
    case 'maxpool':
    case 'avgpool':
      return pooling(building, base, entry);
    case 'globalavgpool':
      return { ...base, type: entry.type, output: column(input.channels) };
    default:
      return join(building, base, entry, shapes);
  }
}

type Base = Pick<Layer, 'name' | 'inputs' | 'input'>;

const POINT: Window = { kernel: [1, 1], stride: [1, 1], padding: [0, 0, 0, 0] };

function convolution(building: Building, base: Base, entry: GraphConv): Layer {
  const { input, name } = base;
  const { groups = 1, outChannels } = entry;
  if (input.channels % groups !== 0 || outChannels % groups !== 0) {
    building.fail(
      `layer "${name}" has ${groups} groups, which do not divide its ${input.channels} input and ` +
        `${outChannels} output channels.`,
    );
  }
  const kernel = pairOf(entry.kernel);
  const border = kernel.map((size) => Math.floor((size - 1) / 2)) as [number, number];
  const window = windowOf(
    input,
    kernel,
    pairOf(entry.stride ?? 1),
    entry.padding ?? [...border, ...border],
  );
  const output = { channels: outChannels, ...windowsOn(input, window) };
  const weights = weightsOf(entry);
  const [size, other] = kernel;
  const isPlain =
    groups === 1 &&
    size === other &&
    (size === 1 || size === 3) &&
    window.stride.every((step) => step === 1) &&
    window.padding.every((rows) => rows === (size - 1) / 2);
  return isPlain
    ? { ...base, ...weights, type: 'conv', output, kernel: size }
    : { ...base, ...weights, type: 'windowconv', output, window, groups };
}

function linear(base: Base, entry: GraphLinear): Layer {
  return {
    ...base,
    ...weightsOf(entry),
    type: 'linear',
    input: column(sizeOf(base.input)),
    output: column(entry.outFeatures),
  };
}

function pooling(building: Building, base: Base, entry: GraphPool): Layer {
  const { input, name } = base;
  const { kernel = 2, stride = kernel, padding = 0, ceil = false, countPadding = false } = entry;
  const plain = windowOf(input, pairOf(kernel), pairOf(stride), padding);
  const window = ceil ? reachingOver(input, plain) : plain;
  if (countPadding && window !== plain) {
    building.fail(
      `layer "${name}" counts padding in windows that reach beyond it; leave out "ceil".`,
    );
  }
  const [top, left, bottom, right] = plain.padding;
  const [height, width] = plain.kernel;
  if (Math.max(top, bottom) >= height || Math.max(left, right) >= width) {
    building.fail(
      `layer "${name}" has windows of nothing but padding: ${plain.padding.join(', ')} of ${height}x${width}.`,
    );
  }
  const isHalving =
    entry.type === 'maxpool' &&
    [...window.kernel, ...window.stride].every((size) => size === 2) &&
    window.padding.every((rows) => rows === 0);
  if (isHalving) return { ...base, type: 'maxpool', output: halved(input) };
  const output = { channels: input.channels, ...windowsOn(input, window) };
  const of = entry.type === 'maxpool' ? 'max' : 'average';
  return { ...base, type: 'windowpool', output, of, window, countsPadding: countPadding };
}

function join(building: Building, base: Base, entry: GraphJoin, shapes: readonly Shape[]): Layer {
  const { name, input } = base;
  const type = entry.type as 'add' | 'multiply' | 'concat' | 'activation';
  const said = shapes.map(({ channels, height, width }) => `${channels}x${height}x${width}`);
  const refuse = (needs: string): never =>
    building.fail(`layer "${name}" (${type}) reads ${said.join(' and ')}; ${needs}.`);
  const activation = codeOf(entry.activation);
  const isSame = (one: Shape): boolean =>
    one.channels === input.channels && one.height === input.height && one.width === input.width;
  if (type === 'concat') {
    if (shapes.some(({ height, width }) => height !== input.height || width !== input.width)) {
      refuse('heights and widths must agree');
    }
    const channels = shapes.reduce((sum, shape) => sum + shape.channels, 0);
    return { ...base, type, activation, output: { ...input, channels } };
  }
  if (type !== 'activation' && shapes.length !== 2) refuse('it takes two tensors');
  const second = shapes[1] ?? input;
  const isGate = second.channels === input.channels && second.height * second.width === 1;
  if (!isSame(second) && !(type === 'multiply' && isGate)) {
    refuse(
      type === 'multiply'
        ? 'the second must be of the same shape or a factor for each channel'
        : 'shapes must agree',
    );
  }
  return {
    ...base,
    type,
    activation,
    output: input,
    ...(type === 'multiply' ? { gate: !isSame(second) } : {}),
  };
}

type Weights = Pick<WeightedLayer, 'activation' | 'weight' | 'bias' | 'reads'>;

/** What is folded or made up is kept under names that no file of somebody else's has. */
function weightsOf(entry: GraphConv | GraphScale | GraphLinear): Weights {
  const { name, weight, bias, batchNorm } = entry;
  const activation = codeOf(entry.activation);
  if (weight && bias && !batchNorm && entry.type !== 'scale') return { activation, weight, bias };
  return {
    activation,
    weight: `${name}.folded.weight`,
    bias: `${name}.folded.bias`,
    reads: { weight, bias, ...(batchNorm ? { batchNorm } : {}) },
  };
}

function codeOf(activation: GraphActivation | undefined): number {
  if (activation === undefined) return NO_ACTIVATION;
  if (typeof activation === 'object') {
    return 'ceiling' in activation ? ceilingCode(activation.ceiling) : activation.leakyRelu;
  }
  return NAMED[activation];
}

const NAMED = {
  relu: RELU,
  relu6: ceilingCode(6),
  hardswish: HARD_SWISH,
  silu: SILU,
  sigmoid: SIGMOID,
  hardsigmoid: HARD_SIGMOID,
} as const;

function pairOf(pair: number | readonly [number, number]): readonly [number, number] {
  return typeof pair === 'number' ? [pair, pair] : pair;
}

function windowOf(
  { height, width }: Shape,
  kernel: Window['kernel'],
  stride: Window['stride'],
  padding: Padding,
): Window {
  if (typeof padding === 'number') {
    return { kernel, stride, padding: [padding, padding, padding, padding] };
  }
  if (padding !== 'same') return { kernel, stride, padding };
  const missing = [height, width].map((size, i) => {
    const step = stride[i] as number;
    return Math.max(0, (Math.ceil(size / step) - 1) * step + (kernel[i] as number) - size);
  });
  const [down = 0, across = 0] = missing;
  const [top, left] = [Math.floor(down / 2), Math.floor(across / 2)];
  return { kernel, stride, padding: [top, left, down - top, across - left] };
}

/** How many windows there are each way. */
export function windowsOn(
  { height, width }: Pick<Shape, 'height' | 'width'>,
  { kernel, stride, padding: [top, left, bottom, right] }: Window,
): { readonly height: number; readonly width: number } {
  return {
    height: Math.floor((height + top + bottom - kernel[0]) / stride[0]) + 1,
    width: Math.floor((width + left + right - kernel[1]) / stride[1]) + 1,
  };
}

/** With as much padding behind that a last window counts which begins on the input, or on the padding before it. */
function reachingOver({ height, width }: Shape, window: Window): Window {
  const { kernel, stride, padding } = window;
  const [top, left, bottom, right] = padding;
  const more = (size: number, before: number, behind: number, axis: 0 | 1): number => {
    const [reach, step] = [kernel[axis], stride[axis]];
    const windows = Math.ceil((size + before + behind - reach) / step) + 1;
    const counted = (windows - 1) * step >= size + before ? windows - 1 : windows;
    return Math.max(behind, (counted - 1) * step + reach - size - before);
  };
  const down = more(height, top, bottom, 0);
  const across = more(width, left, right, 1);
  return down === bottom && across === right
    ? window
    : { kernel, stride, padding: [top, left, down, across] };
}

/** The image is for the first layer alone, which masks it; and of what else is computed, somebody makes use. */
function checkReaders(building: Building, { layers }: Network): void {
  const read = new Set(layers.flatMap(({ inputs }) => inputs));
  for (const [i, { name, type, inputs }] of layers.entries()) {
    if (i > 0 && inputs.includes(IMAGE)) {
      building.fail(`layer "${name}" (${type}) reads the image, which only the first layer can.`);
    }
    if (i < layers.length - 1 && !read.has(name)) {
      building.fail(`layer "${name}" (${type}) is read by no other layer: leave it out.`);
    }
  }
}

/** From the first fully connected layer on, nothing branches: the head is run over many images' features at once. */
function checkHead(building: Building, { layers }: Network): void {
  const first = layers.findIndex(({ type }) => type === 'linear');
  if (first < 0) return;
  layers.slice(first + 1).forEach(({ name, type, inputs }, i) => {
    const before = layers[first + i] as Layer;
    if (type !== 'linear' || inputs[0] !== before.name) {
      building.fail(
        `layer "${name}" (${type}) comes behind the fully connected layer "${(layers[first] as Layer).name}": ` +
          'only fully connected layers can, each reading the one before.',
      );
    }
  });
}
