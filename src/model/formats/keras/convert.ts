import { ScoreCamError, shown } from '../../../errors';
import type { GraphConv, GraphManifestLayer } from '../../graph/manifest';
import { IMAGE, type Shape, sizeOf } from '../../network';
import type { WeightSource } from '../../weight-source';
import type { JsonObject } from '../json';
import { activationOf, type Bend, leakyReluOf, reluOf } from './activations';
import type { KerasLayer, KerasTopology } from './topology';
import { KerasWeights } from './weights';

/** A network of a file that is none of ours, with what the file says of its input. */
export interface ForeignNetwork {
  readonly layers: readonly GraphManifestLayer[];
  readonly input: { readonly height: number; readonly width: number };
  readonly targetLayer: string;
  readonly classes: number;
  readonly weights: WeightSource;
  /** Where the network itself begins by normalising bytes. */
  readonly normalisation?: { readonly mean: RGB; readonly std: RGB } | undefined;
}

type RGB = readonly [number, number, number];
type Sides = readonly [top: number, left: number, bottom: number, right: number];
type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** A tensor on its way, as layers of the manifest compute it. */
interface Value {
  readonly layer: string;
  readonly shape: Shape;
  /** Whether others read it, too: then nothing can be fused into what computes it. */
  readonly isShared: boolean;
  /** Of Keras' tensor, batch included: 2 is a list of features, 4 maps. What was flattened keeps its shape here. */
  readonly rank: 2 | 4;
  /** Zeros round it that its readers take in. */
  readonly zeros?: Sides | undefined;
  /** Probabilities: they can only be the end. */
  readonly isSoftmax?: boolean | undefined;
}

/** Layers that let a tensor through as it is when nothing is trained. */
const PASSING = new Set(
  'Dropout SpatialDropout2D GaussianDropout GaussianNoise AlphaDropout ActivityRegularization'.split(
    ' ',
  ),
);

/** What Keras 2 and 3 call a depthwise convolution's weight. */
const DEPTHWISE = ['depthwise_kernel', 'kernel'];

const SUPPORTED =
  'supported are Conv2D, DepthwiseConv2D, SeparableConv2D, Dense, BatchNormalization, Activation, ReLU, LeakyReLU, ' +
  'Softmax, MaxPooling2D, AveragePooling2D, GlobalAveragePooling2D, GlobalMaxPooling2D, ZeroPadding2D, Add, Multiply, ' +
  'Concatenate, Flatten, Reshape, Rescaling and Dropout';

/**
 * A Keras model as layers of a graph manifest: batch normalisation and activations are fused into the layers before them,
 * zero padding into those behind, probabilities are left out.
 * @param size of images, where the model takes any
 * @throws ScoreCamError `network` naming the layer, its class and what is supported; `weights`
 */
export function convertKeras(
  { output, isKeras3 }: KerasTopology,
  file: WeightSource,
  size: { readonly height: number; readonly width: number } | undefined,
): ForeignNetwork {
  return new Conversion(file, size, isKeras3).run(output);
}

class Conversion {
  private readonly weights: KerasWeights;
  private readonly layers = new Map<string, Mutable<GraphManifestLayer>>();
  private readonly shapes = new Map<string, Shape>();
  private readonly readers = new Map<KerasLayer, number>();
  private readonly file: string;
  private readonly size: { readonly height: number; readonly width: number } | undefined;
  private readonly isKeras3: boolean;
  private input: Shape | undefined;
  private normalisation: ForeignNetwork['normalisation'];
  /** The layer that is converted, for messages. */
  private current: KerasLayer | undefined;

  constructor(file: WeightSource, size: Conversion['size'], isKeras3: boolean) {
    this.weights = new KerasWeights(file);
    this.file = file.name;
    this.size = size;
    this.isKeras3 = isKeras3;
  }

  run(output: KerasLayer): ForeignNetwork {
    const order = topological(output);
    for (const { inputs } of order) {
      for (const of of inputs) this.readers.set(of, (this.readers.get(of) ?? 0) + 1);
    }
    const values = new Map<KerasLayer, Value>();
    for (const layer of order) {
      this.current = layer;
      const inputs = layer.inputs.map((of) => values.get(of) as Value);
      if (inputs.some(({ isSoftmax }) => isSoftmax) && !isTransparent(layer)) {
        this.fail('comes behind a softmax, which can only be the end');
      }
      const value = this.convert(layer, inputs);
      const isShared = value.isShared || (this.readers.get(layer) ?? 0) > 1;
      values.set(layer, { ...value, isShared });
    }
    const last = values.get(output) as Value;
    this.current = output;
    return this.finish(last);
  }

  private fail(message: string): never {
    const { name, type } = this.current as KerasLayer;
    throw new ScoreCamError('network', `${this.file}: layer "${name}" (${type}) ${message}.`);
  }

  private convert(layer: KerasLayer, inputs: readonly Value[]): Value {
    const { type, config } = layer;
    if (type === 'InputLayer') return this.begin(config);
    const joins = type === 'Add' || type === 'Multiply' || type === 'Concatenate';
    if (inputs.length === 0 || (!joins && inputs.length > 1)) {
      this.fail(`reads ${inputs.length} tensors, takes ${joins ? 'two or more' : 'one'}`);
    }
    const [value] = inputs as [Value];
    if (PASSING.has(type)) return value;
    switch (type) {
      case 'Conv2D':
        return this.conv(config, value);
      case 'DepthwiseConv2D':
        return this.depthwise(config, value);
      case 'SeparableConv2D':
        return this.separable(config, value);
      case 'Dense':
        return this.dense(config, value);
      case 'BatchNormalization':
        return this.batchNorm(config, value);
      case 'Activation':
        return this.bend(value, activationOf(config.activation, this.isKeras3));
      case 'ReLU':
      case 'ReLU6':
        return this.bend(value, type === 'ReLU6' ? 'relu6' : reluOf(config));
      case 'LeakyReLU':
        return this.bend(value, leakyReluOf(config));
      case 'Softmax':
        this.lastAxis(config, value, -1);
        return this.bend(value, 'softmax');
      case 'ZeroPadding2D':
        return this.zeroPadding(config, value);
      case 'MaxPooling2D':
      case 'AveragePooling2D':
        return this.pooling(type === 'MaxPooling2D' ? 'maxpool' : 'avgpool', config, value);
      case 'GlobalAveragePooling2D':
      case 'GlobalMaxPooling2D':
        return this.globalPooling(type === 'GlobalMaxPooling2D', config, value);
      case 'Add':
      case 'Multiply':
      case 'Concatenate':
        return this.join(type, config, inputs);
      case 'Flatten':
        return this.reshaped(value, [sizeOf(value.shape)]);
      case 'Reshape':
        return this.reshaped(value, this.targetShape(config, value));
      case 'Rescaling':
        return this.rescaling(config, value);
      default:
        return this.fail(`is not supported; ${SUPPORTED}`);
    }
  }

  private begin(config: JsonObject): Value {
    if (this.input) this.fail('is a second input; one image is supported');
    const shape = config.batch_input_shape ?? config.batch_shape;
    const [, height, width, channels] = Array.isArray(shape) ? (shape as unknown[]) : [];
    this.channelsLast(config);
    if (!Array.isArray(shape) || shape.length !== 4 || channels !== 3) {
      this.fail(`takes ${shown(shape)}; an image is [null, height, width, 3]`);
    }
    const side = (stated: unknown, name: 'height' | 'width'): number => {
      const given = this.size?.[name];
      const found =
        stated ?? given ?? this.fail(`takes images of any ${name}: give the option size`);
      if (given !== undefined && found !== given) {
        this.fail(`takes images of ${name} ${shown(stated)}; size says ${given}`);
      }
      return typeof found === 'number' && Number.isInteger(found) && found >= 1 && found <= 4096
        ? found
        : this.fail(`takes images of ${name} ${shown(found)}; 1 to 4096 are possible`);
    };
    this.input = { channels: 3, height: side(height, 'height'), width: side(width, 'width') };
    return { layer: IMAGE, shape: this.input, rank: 4, isShared: false };
  }

  private conv(config: JsonObject, value: Value): Value {
    const { name } = this.current as KerasLayer;
    const outChannels = this.count(config, 'filters');
    const groups = config.groups === undefined ? 1 : this.count(config, 'groups');
    const [height, width] = this.window(config, value, 11, 4).kernel;
    const { channels } = value.shape;
    if (channels % groups !== 0 || outChannels % groups !== 0) {
      this.fail(
        `has ${groups} groups, which do not divide its ${channels} and ${outChannels} channels`,
      );
    }
    return this.windowed(name, config, value, outChannels, {
      groups,
      weight: this.weights.take(
        name,
        ['kernel'],
        [height, width, channels / groups, outChannels],
        [3, 2, 0, 1],
      ),
      bias: this.bias(name, config, outChannels),
    });
  }

  private depthwise(config: JsonObject, value: Value): Value {
    const { name } = this.current as KerasLayer;
    const [outChannels, own] = this.spread(name, config, value);
    const bias = this.bias(name, config, outChannels);
    return this.windowed(name, config, value, outChannels, { ...own, bias });
  }

  /** Of a depthwise convolution: its channels, groups and weight. */
  private spread(
    name: string,
    config: JsonObject,
    value: Value,
  ): [outChannels: number, Pick<GraphConv, 'groups' | 'weight'>] {
    const { channels } = value.shape;
    this.window(config, value, 11, 4);
    // TensorFlow.js does not write it down for separable convolutions.
    const stored = this.weights.shapeOf(name, DEPTHWISE)?.at(-1);
    const multiplier = this.count({ depth_multiplier: stored, ...config }, 'depth_multiplier');
    const [height, width] = this.pair(config, 'kernel_size');
    const shape = [height, width, channels, multiplier];
    // [height, width, C, m] to [C, m, height, width], which is [C m, 1, height, width].
    const weight = this.weights.take(name, DEPTHWISE, shape, [2, 3, 0, 1]);
    return [channels * multiplier, { groups: channels, weight }];
  }

  private separable(config: JsonObject, value: Value): Value {
    const { name } = this.current as KerasLayer;
    const [spread, shape] = this.spread(name, config, value);
    const plain = { ...config, activation: 'linear' };
    const depthwise = this.windowed(`${name}/depthwise`, plain, value, spread, {
      ...shape,
      bias: undefined,
    });
    const outChannels = this.count(config, 'filters');
    const stored = [1, 1, spread, outChannels];
    const weight = this.weights.take(name, ['pointwise_kernel'], stored, [3, 2, 0, 1]);
    const point = { ...config, kernel_size: 1, strides: 1, padding: 'valid', dilation_rate: 1 };
    const bias = this.bias(name, config, outChannels);
    return this.windowed(name, point, depthwise, outChannels, { groups: 1, weight, bias });
  }

  private windowed(
    name: string,
    config: JsonObject,
    value: Value,
    outChannels: number,
    own: Pick<GraphConv, 'groups' | 'weight' | 'bias'>,
  ): Value {
    const { kernel, stride, padding, out } = this.window(config, value, 11, 4);
    if (this.pair(config, 'dilation_rate', 1).some((rate) => rate !== 1)) {
      this.fail(`has the dilation rate ${shown(config.dilation_rate)}; 1 is supported`);
    }
    const activation = activationOf(config.activation, this.isKeras3);
    const layer = {
      type: 'conv',
      name,
      inputs: [value.layer],
      outChannels,
      kernel,
      stride,
      padding,
      ...own,
    } as const;
    return this.bend(this.add(layer, { channels: outChannels, ...out }), activation);
  }

  /** As a convolution, which it is where others than fully connected layers come behind it: see {@link finish}. */
  private dense(config: JsonObject, value: Value): Value {
    const { name } = this.current as KerasLayer;
    const units = this.count(config, 'units');
    this.unpadded(value);
    const { channels, height, width } = value.shape;
    const over = value.rank === 2 ? ([height, width] as const) : ([1, 1] as const);
    const stored = [...over, channels, units];
    const layer = {
      type: 'conv',
      name,
      inputs: [value.layer],
      outChannels: units,
      kernel: over,
      padding: 0,
      weight: this.weights.take(name, ['kernel'], stored, [3, 2, 0, 1]),
      bias: this.bias(name, config, units),
    } as const;
    const out = value.rank === 2 ? { height: 1, width: 1 } : { height, width };
    const made = this.add(layer, { channels: units, ...out }, value.rank);
    return this.bend(made, activationOf(config.activation, this.isKeras3));
  }

  private bias(layer: string, config: JsonObject, channels: number): string | undefined {
    if (config.use_bias !== false) return this.weights.take(layer, ['bias'], [channels]);
    this.weights.refuse(layer, 'bias');
    return undefined;
  }

  private batchNorm(config: JsonObject, value: Value): Value {
    const { name } = this.current as KerasLayer;
    const { channels } = value.shape;
    this.lastAxis(config, value, config.axis);
    this.unpadded(value);
    this.unflattened(value);
    const epsilon = config.epsilon ?? 1e-3;
    if (typeof epsilon !== 'number' || !(epsilon >= 0 && epsilon < 1)) {
      return this.fail(`has the epsilon ${shown(epsilon)}; 0 to below 1 is possible`);
    }
    const take = (kind: string): string => this.weights.take(name, [kind], [channels]);
    const batchNorm = {
      scale: config.scale === false ? this.weights.make(name, 'gamma', channels, 1) : take('gamma'),
      shift: config.center === false ? this.weights.make(name, 'beta', channels, 0) : take('beta'),
      mean: take('moving_mean'),
      variance: take('moving_variance'),
      epsilon,
    };
    const before = this.layers.get(value.layer);
    if (before?.type === 'conv' && !before.activation && !before.batchNorm && !value.isShared) {
      before.batchNorm = batchNorm;
      return value;
    }
    const layer = { type: 'scale', name, inputs: [value.layer], batchNorm } as const;
    return this.add(layer, value.shape, value.rank);
  }

  /** What an activation makes of a tensor: part of the layer that computes it, where that has none yet. */
  private bend(value: Value, bend: Bend): Value {
    if (typeof bend === 'object' && 'unsupported' in bend) return this.fail(bend.unsupported);
    if (bend === undefined) return value;
    this.unpadded(value);
    if (bend === 'softmax') return { ...value, isSoftmax: true };
    const before = this.layers.get(value.layer);
    const takesIn =
      before?.type === 'conv' ||
      before?.type === 'scale' ||
      before?.type === 'add' ||
      before?.type === 'multiply';
    if (takesIn && before.activation === undefined && !value.isShared) {
      before.activation = bend;
      return value;
    }
    const { name } = this.current as KerasLayer;
    const own = this.layers.has(name) ? `${name}/activation` : name;
    const layer = {
      type: 'activation',
      name: own,
      inputs: [value.layer],
      activation: bend,
    } as const;
    return this.add(layer, value.shape, value.rank);
  }

  private zeroPadding(config: JsonObject, value: Value): Value {
    this.channelsLast(config);
    this.unflattened(value);
    const { padding } = config;
    const isCount = (v: unknown): v is number =>
      Number.isInteger(v) && (v as number) >= 0 && (v as number) <= 11;
    const two = (v: unknown): readonly [number, number] | undefined =>
      isCount(v)
        ? [v, v]
        : Array.isArray(v) && v.length === 2 && v.every(isCount)
          ? (v as [number, number])
          : undefined;
    const rows = isCount(padding)
      ? two(padding)
      : Array.isArray(padding) && padding.length === 2
        ? two(padding[0])
        : undefined;
    const columns = isCount(padding)
      ? two(padding)
      : Array.isArray(padding) && padding.length === 2
        ? two(padding[1])
        : undefined;
    if (!rows || !columns) {
      return this.fail(
        `has the padding ${shown(padding)}; up to 11 rows and columns on each side are supported`,
      );
    }
    const [top, left, bottom, right] = value.zeros ?? [0, 0, 0, 0];
    return {
      ...value,
      zeros: [top + rows[0], left + columns[0], bottom + rows[1], right + columns[1]],
    };
  }

  private pooling(type: 'maxpool' | 'avgpool', config: JsonObject, value: Value): Value {
    const { name } = this.current as KerasLayer;
    const window = {
      ...config,
      kernel_size: config.pool_size ?? 2,
      strides: config.strides ?? config.pool_size ?? 2,
    };
    const { kernel, stride, padding, out } = this.window(window, value, 4096, 4096);
    if (type === 'maxpool' && value.zeros && !this.isNeverNegative(value.layer)) {
      // Zeros count there, where padding does not.
      this.fail('takes the maximum over padded zeros and what may be negative');
    }
    const countPadding = type === 'avgpool' && value.zeros ? { countPadding: true } : {};
    const layer = {
      type,
      name,
      inputs: [value.layer],
      kernel,
      stride,
      padding,
      ...countPadding,
    } as const;
    return this.add(layer, { channels: value.shape.channels, ...out });
  }

  private isNeverNegative(layer: string): boolean {
    const before = this.layers.get(layer);
    const activation = before && 'activation' in before ? before.activation : undefined;
    return typeof activation === 'object'
      ? 'ceiling' in activation
      : ['relu', 'relu6', 'sigmoid', 'hardsigmoid'].includes(activation ?? '');
  }

  private globalPooling(isMax: boolean, config: JsonObject, value: Value): Value {
    const { name } = this.current as KerasLayer;
    this.channelsLast(config);
    this.unpadded(value);
    this.unflattened(value);
    const { channels, height, width } = value.shape;
    const layer = isMax
      ? ({
          type: 'maxpool',
          name,
          inputs: [value.layer],
          kernel: [height, width],
          stride: 1,
        } as const)
      : ({ type: 'globalavgpool', name, inputs: [value.layer] } as const);
    const rank = config.keepdims === true ? 4 : 2;
    return this.add(layer, { channels, height: 1, width: 1 }, rank);
  }

  private join(
    type: 'Add' | 'Multiply' | 'Concatenate',
    config: JsonObject,
    inputs: readonly Value[],
  ): Value {
    const { name } = this.current as KerasLayer;
    if (inputs.length < 2 && type !== 'Concatenate') this.fail('joins one tensor with nothing');
    for (const value of inputs) {
      this.unpadded(value);
      this.unflattened(value);
      if (value.layer === IMAGE) this.fail('reads the image; only the first convolution can');
    }
    const [first, ...others] = inputs as [Value, ...Value[]];
    if (type === 'Concatenate') {
      this.lastAxis(config, first, config.axis ?? -1);
      if (others.length === 0) return first;
      const channels = inputs.reduce((sum, { shape }) => sum + shape.channels, 0);
      const names = inputs.map(({ layer }) => layer);
      return this.add(
        { type: 'concat', name, inputs: names },
        { ...first.shape, channels },
        first.rank,
      );
    }
    const kind = type === 'Add' ? 'add' : 'multiply';
    let sum = first;
    others.forEach((next, i) => {
      // Factors for each channel come second.
      const isGate = kind === 'multiply' && sizeOf(sum.shape) < sizeOf(next.shape);
      const [a, b] = isGate ? [next, sum] : [sum, next];
      const own = i === others.length - 1 ? name : `${name}/${i + 1}`;
      sum = this.add({ type: kind, name: own, inputs: [a.layer, b.layer] }, a.shape, a.rank);
    });
    return sum;
  }

  private targetShape(config: JsonObject, { shape }: Value): number[] {
    const { target_shape: target } = config;
    const total = sizeOf(shape);
    if (!Array.isArray(target) || !target.every((n) => Number.isInteger(n))) {
      return this.fail(`has the target_shape ${shown(target)}; a list of integers is needed`);
    }
    const known = (target as number[]).reduce((product, n) => (n < 0 ? product : product * n), 1);
    return (target as number[]).map((n) => (n < 0 ? total / known : n));
  }

  /** Reshaping is supported where elements stay as they are: to a flat list, and of one pixel. */
  private reshaped(value: Value, target: readonly number[]): Value {
    this.unpadded(value);
    const { channels, height, width } = value.shape;
    const total = sizeOf(value.shape);
    if (value.layer !== IMAGE) {
      if (target.join() === `${total}`) return { ...value, rank: 2 };
      // One pixel, or back from what was flattened.
      if (target.join() === [height, width, channels].join()) return { ...value, rank: 4 };
    }
    return this.fail(
      `turns ${height}x${width}x${channels} into ${target.join('x')}; supported are one list of all, and maps of ` +
        'the same size',
    );
  }

  private rescaling(config: JsonObject, value: Value): Value {
    if (
      value.layer !== IMAGE ||
      this.normalisation ||
      (this.readers.get(this.current as KerasLayer) ?? 0) > 1
    ) {
      return this.fail('comes behind other layers; it is supported right behind the input');
    }
    this.unpadded(value);
    const three = (member: 'scale' | 'offset', absent: number): RGB => {
      const found = config[member] ?? absent;
      const list = Array.isArray(found) ? found : [found, found, found];
      return list.length === 3 && list.every((n) => typeof n === 'number' && Number.isFinite(n))
        ? (list as unknown as RGB)
        : this.fail(`has the ${member} ${shown(found)}; a number or three are needed`);
    };
    const scale = three('scale', 1);
    const offset = three('offset', 0);
    if (scale.some((factor) => !(factor > 0)))
      this.fail(`has the scale ${shown(config.scale)}; it must be above 0`);
    // rgb scale + offset = (rgb / 255 - mean) / std
    const std = scale.map((factor) => 1 / (255 * factor)) as unknown as RGB;
    const mean = offset.map((of, c) => -of * (std[c] as number)) as unknown as RGB;
    this.normalisation = { mean, std };
    return value;
  }

  /** Where windows lie, and how many there are. */
  private window(
    config: JsonObject,
    value: Value,
    mostKernel: number,
    mostStride: number,
  ): {
    readonly kernel: readonly [number, number];
    readonly stride: readonly [number, number];
    readonly padding: 'same' | Sides;
    readonly out: { readonly height: number; readonly width: number };
  } {
    this.channelsLast(config);
    this.unflattened(value);
    const kernel = this.pair(config, 'kernel_size');
    const stride = this.pair(config, 'strides', 1);
    if (kernel.some((size) => size > mostKernel) || stride.some((step) => step > mostStride)) {
      this.fail(
        `has a window of ${kernel.join('x')} by ${stride.join('x')}; at most ${mostKernel}x${mostKernel} by ${mostStride}x${mostStride} is supported`,
      );
    }
    const { shape, zeros } = value;
    const isSame = config.padding === 'same';
    if (!isSame && config.padding !== 'valid' && config.padding !== undefined) {
      this.fail(`has the padding ${shown(config.padding)}; same and valid are supported`);
    }
    if (isSame && zeros)
      this.fail('pads what a ZeroPadding2D has padded; one of the two is supported');
    const sides = zeros ?? ([0, 0, 0, 0] as const);
    const count = (size: number, axis: 0 | 1): number =>
      isSame
        ? Math.ceil(size / stride[axis])
        : Math.floor(
            (size + sides[axis] + (sides[axis + 2] as number) - kernel[axis]) / stride[axis],
          ) + 1;
    const out = { height: count(shape.height, 0), width: count(shape.width, 1) };
    if (out.height < 1 || out.width < 1) {
      this.fail(
        `has a window of ${kernel.join('x')}, larger than its input of ${shape.height}x${shape.width}`,
      );
    }
    return { kernel, stride, padding: isSame ? 'same' : sides, out };
  }

  private add(layer: GraphManifestLayer, shape: Shape, rank: Value['rank'] = 4): Value {
    if (this.layers.has(layer.name)) this.fail('has a name that another layer has, too');
    this.layers.set(layer.name, layer as Mutable<GraphManifestLayer>);
    this.shapes.set(layer.name, shape);
    return { layer: layer.name, shape, rank, isShared: false };
  }

  private count(config: JsonObject, member: string): number {
    const value = config[member];
    return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 65536
      ? (value as number)
      : this.fail(`has the ${member} ${shown(value)}; 1 to 65536 is possible`);
  }

  private pair(config: JsonObject, member: string, absent?: number): readonly [number, number] {
    const value = config[member] ?? absent;
    const both = Array.isArray(value) ? value : [value, value];
    return both.length === 2 && both.every((n) => Number.isInteger(n) && n >= 1 && n <= 4096)
      ? (both as [number, number])
      : this.fail(
          `has the ${member} ${shown(value)}; one or two numbers from 1 to 4096 are possible`,
        );
  }

  private channelsLast(config: JsonObject): void {
    const { data_format: format } = config;
    if (format !== undefined && format !== null && format !== 'channels_last') {
      this.fail(`has the data_format ${shown(format)}; channels_last is supported`);
    }
  }

  /** The axis must be that of the channels. */
  private lastAxis({ axis }: JsonObject, { rank }: Value, absent: unknown): void {
    const stated = axis ?? absent ?? -1;
    const [found] = Array.isArray(stated) && stated.length === 1 ? stated : [stated];
    if (found === -1 || found === rank - 1) return;
    this.fail(`works along axis ${shown(stated)}; the last, of the channels, is supported`);
  }

  private unpadded({ zeros }: Value): void {
    if (zeros)
      this.fail('comes behind a ZeroPadding2D; convolutions and poolings are supported there');
  }

  private unflattened({ rank, shape }: Value): void {
    if (rank === 2 && shape.height * shape.width > 1) {
      this.fail('comes behind a Flatten; Dense and activations are supported there');
    }
  }

  private finish(last: Value): ForeignNetwork {
    if (!this.input || this.layers.size === 0)
      this.fail('is all there is; a convolution is needed');
    this.unpadded(last);
    const { channels, height, width } = last.shape;
    if (height * width > 1) {
      this.fail(`gives maps of ${height}x${width}; a classifier ends in one number a class`);
    }
    const end = this.layers.get(last.layer) as GraphManifestLayer;
    const activation = 'activation' in end ? end.activation : undefined;
    if (activation !== undefined && activation !== 'relu') {
      this.fail(`ends in ${shown(activation)}; softmax, or none, is supported`);
    }
    this.connectFully(last.layer);
    this.weights.sort();
    return {
      layers: [...this.layers.values()],
      input: { height: this.input.height, width: this.input.width },
      targetLayer: this.target(),
      classes: channels,
      weights: this.weights,
      normalisation: this.normalisation,
    };
  }

  /** The chain of fully connected layers that the network ends in, as such: the head is run over many images at once. */
  private connectFully(end: string): void {
    const entries = [...this.layers.values()];
    const readers = new Map<string, number>();
    for (const { inputs = [] } of entries) {
      for (const of of inputs) readers.set(of, (readers.get(of) ?? 0) + 1);
    }
    for (let name = end; ; ) {
      const layer = this.layers.get(name);
      if (layer?.type !== 'conv' || (layer.groups ?? 1) !== 1) break;
      const [before = IMAGE] = layer.inputs ?? [];
      const shape = this.shapes.get(before);
      const [height, width] =
        typeof layer.kernel === 'number' ? [layer.kernel, layer.kernel] : layer.kernel;
      const isPadded =
        layer.padding !== 'same' && [layer.padding ?? 0].flat().some((rows) => rows > 0);
      const isWhole =
        shape?.height === height &&
        shape.width === width &&
        !isPadded &&
        sizeOf(this.shapes.get(name) as Shape) === layer.outChannels;
      if (!isWhole || before === IMAGE) break;
      const { weight, bias, batchNorm, activation, outChannels, inputs } = layer;
      this.layers.set(name, {
        type: 'linear',
        name,
        inputs,
        outFeatures: outChannels,
        weight,
        bias,
        batchNorm,
        activation,
      });
      if ((readers.get(before) ?? 0) > 1) break;
      name = before;
    }
    for (const layer of entries) {
      const large =
        layer.type === 'conv' &&
        this.layers.get(layer.name) === layer &&
        [layer.kernel].flat().some((size) => size > 11);
      if (large) {
        throw new ScoreCamError(
          'network',
          `${this.file}: layer "${layer.name}" (Dense) reads maps of ${[layer.kernel].flat().join('x')} and other than fully connected ` +
            'layers come behind it; at most 11x11 is supported there.',
        );
      }
    }
  }

  /** The last layer before the maps are pooled to one number each, or flattened. */
  private target(): string {
    const found = [...this.layers.values()].findLast((layer) => {
      const shape = this.shapes.get(layer.name) as Shape;
      return shape.height * shape.width > 1 && !/pool$|linear/.test(layer.type);
    });
    return (found ?? ([...this.layers.values()][0] as GraphManifestLayer)).name;
  }
}

function isTransparent({ type }: KerasLayer): boolean {
  return PASSING.has(type) || type === 'Reshape' || type === 'Flatten';
}

/** Every layer after those it reads, without recursion. */
function topological(output: KerasLayer): KerasLayer[] {
  const order: KerasLayer[] = [];
  const done = new Set<KerasLayer>();
  const stack = [output];
  for (let layer = stack.at(-1); layer; layer = stack.at(-1)) {
    const missing = layer.inputs.filter((of) => !done.has(of));
    if (missing.length === 0 || done.has(layer)) {
      stack.pop();
      if (!done.has(layer)) order.push(layer);
      done.add(layer);
    }
    for (const of of done.has(layer) ? [] : missing) stack.push(of);
  }
  return order;
}
