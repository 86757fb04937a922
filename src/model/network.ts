import { ScoreCamError } from '../errors';
import { NO_ACTIVATION, RELU } from '../numbers/activation';
import type { Activation, ManifestBase, SequentialManifest } from './manifest-base';
import type { GraphTensors } from './tensors';

/** Shape of one image's tensor between two layers. */
export interface Shape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

export function sizeOf(shape: Shape): number {
  return shape.channels * shape.height * shape.width;
}

/** The name of the network's input among the tensors. */
export const IMAGE = 'image';

interface LayerBase {
  readonly name: string;
  /** The layers whose outputs it reads, {@link IMAGE} for the image. */
  readonly inputs: readonly string[];
  /** Of the first of them. */
  readonly input: Shape;
  readonly output: Shape;
}

interface WeightedBase extends LayerBase {
  /** By its code (numbers/activation.ts): 0 is ReLU, 0.1 a leaky ReLU, 1 none. */
  readonly activation: number;
  /** What its tensors are called where they are kept as the GPU gets them. */
  readonly weight: string;
  readonly bias: string;
  /** The tensors of the weights file that they are made from, where those are others. */
  readonly reads?: GraphTensors | undefined;
}

/** A plain convolution: stride 1, zero padding (kernel - 1) / 2 all round, one group. */
export interface ConvLayer extends WeightedBase {
  readonly type: 'conv';
  readonly kernel: 1 | 3;
}

export interface PoolLayer<Type extends 'maxpool' | 'globalavgpool'> extends LayerBase {
  readonly type: Type;
}

export interface LinearLayer extends WeightedBase {
  readonly type: 'linear';
}

/** Where a window of [height, width] lies on its input. */
export interface Window {
  readonly kernel: readonly [height: number, width: number];
  readonly stride: readonly [down: number, across: number];
  /** Rows and columns added before the first and behind the last; windows begin nowhere else. */
  readonly padding: readonly [top: number, left: number, bottom: number, right: number];
}

/** Any other convolution; a factor and a shift for each channel is one of kernel 1 and as many groups as channels. */
export interface WindowConvLayer extends WeightedBase {
  readonly type: 'windowconv';
  readonly window: Window;
  readonly groups: number;
}

/** Any pooling other than of 2x2 by 2. What is padded is no maximum, and is not averaged unless `countsPadding`. */
export interface WindowPoolLayer extends LayerBase {
  readonly type: 'windowpool';
  readonly of: 'max' | 'average';
  readonly window: Window;
  readonly countsPadding: boolean;
}

/** What takes several tensors, or does nothing but bend one. */
export interface JoinLayer extends LayerBase {
  /**
   * `add`: all of one shape. `multiply`: the second may be [channels, 1, 1], a factor for each channel. `concat`: of one
   * height and width, channels one after another. `activation`: one tensor.
   */
  readonly type: 'add' | 'multiply' | 'concat' | 'activation';
  /** Of a product: whether its second factor is one for each channel. */
  readonly gate?: boolean | undefined;
  readonly activation: number;
}

/** What only graphs have: planned, computed and differentiated by what comes with the first of them. */
export type GraphLayer = WindowConvLayer | WindowPoolLayer | JoinLayer;

export type Layer =
  | ConvLayer
  | PoolLayer<'maxpool'>
  | PoolLayer<'globalavgpool'>
  | LinearLayer
  | GraphLayer;

/** A manifest with every shape worked out and every rule checked: what the runtime plans from. */
export interface Network {
  readonly name: string;
  readonly input: Shape;
  /** The largest magnitude that a pixel has when it is normalised. */
  readonly largestPixel: number;
  readonly layers: readonly Layer[];
  readonly targetLayer: string;
  readonly labels: readonly string[];
}

export type WeightedLayer = ConvLayer | LinearLayer | WindowConvLayer;

/** Whether a layer has weights. */
export function isWeighted(layer: Layer): layer is WeightedLayer {
  return layer.type === 'conv' || layer.type === 'linear' || layer.type === 'windowconv';
}

/** What a layer reads first, before it is flattened. */
export function readBy(network: Pick<Network, 'input' | 'layers'>, { inputs }: Layer): Shape {
  return network.layers.find(({ name }) => name === inputs[0])?.output ?? network.input;
}

/** [outputs, inputs of a group, height, width], or [outputs, inputs] of a fully connected layer. */
export function weightShape(layer: WeightedLayer): number[] {
  const outputs = layer.output.channels;
  if (layer.type === 'linear') return [outputs, sizeOf(layer.input)];
  const [kernel, groups] =
    layer.type === 'conv' ? [[layer.kernel, layer.kernel], 1] : [layer.window.kernel, layer.groups];
  return [outputs, layer.input.channels / groups, ...kernel];
}

/**
 * Infers all shapes of a sequential manifest's network.
 * @throws ScoreCamError `network` naming the layer where something does not fit.
 */
export function buildNetwork(manifest: SequentialManifest): Network {
  const building = new Building(manifest);
  for (const entry of manifest.layers) {
    const { name } = entry;
    const before = building.shapeOf(building.last, name);
    const base = { name, inputs: [building.last], input: before };
    switch (entry.type) {
      case 'conv':
        building.add({
          ...base,
          type: 'conv',
          output: { ...before, channels: entry.outChannels },
          kernel: entry.kernel,
          activation: codeOf(entry.activation),
          weight: entry.weight,
          bias: entry.bias,
        });
        break;
      case 'maxpool':
        building.add({ ...base, type: 'maxpool', output: halved(before) });
        break;
      case 'globalavgpool':
        building.add({ ...base, type: 'globalavgpool', output: column(before.channels) });
        break;
      case 'linear':
        building.add({
          ...base,
          type: 'linear',
          input: column(sizeOf(before)),
          output: column(entry.outFeatures),
          activation: codeOf(entry.activation),
          weight: entry.weight,
          bias: entry.bias,
        });
    }
  }
  return building.finish();
}

/** Of 2x2 by 2: an odd last row or column is dropped. */
export function halved({ channels, height, width }: Shape): Shape {
  return { channels, height: Math.floor(height / 2), width: Math.floor(width / 2) };
}

export function column(channels: number): Shape {
  return { channels, height: 1, width: 1 };
}

function codeOf(activation: Activation | undefined): number {
  if (activation === undefined) return NO_ACTIVATION;
  return activation === 'relu' ? RELU : activation.leakyRelu;
}

/** Weights that are in memory at once, a convolution's or those of one fully connected output: 256 MiB of f32. */
const MOST_WEIGHTS = 2 ** 26;

/** A network whose layers are added one by one, each checked. */
export class Building {
  /** Name of the layer added last. */
  last = IMAGE;
  private readonly manifest: ManifestBase;
  private readonly input: Shape;
  private readonly layers = new Map<string, Layer>();

  constructor(manifest: ManifestBase) {
    this.manifest = manifest;
    const { height, width } = manifest.input;
    this.input = { channels: 3, height, width };
  }

  fail(message: string): never {
    throw new ScoreCamError('network', `Network "${this.manifest.name}": ${message}`);
  }

  /** Of what layer `reader` reads. */
  shapeOf(name: string, reader: string): Shape {
    if (name === IMAGE) return this.input;
    const found = this.layers.get(name);
    return (
      found?.output ??
      this.fail(`layer "${reader}" reads "${name}", which is no layer before it (nor "${IMAGE}").`)
    );
  }

  add(layer: Layer): void {
    const { name, input, output } = layer;
    if (this.layers.size === 0 && layer.type !== 'conv' && layer.type !== 'windowconv') {
      this.fail('the first layer must be a convolution (it takes the mask).');
    }
    if (this.layers.has(name) || name === IMAGE) {
      this.fail(`two layers are called "${name}"; names must differ.`);
    }
    if (layer.type !== 'linear' && layer.inputs.some((of) => this.isFlat(of))) {
      this.fail(`layer "${name}" (${layer.type}) comes after the features were flattened.`);
    }
    if (output.height < 1 || output.width < 1) {
      this.fail(`layer "${name}" pools ${input.height}x${input.width} to nothing.`);
    }
    if (isWeighted(layer)) {
      const [outputs = 0, ...each] = weightShape(layer);
      const weights = each.reduce((a, b) => a * b, layer.type === 'linear' ? 1 : outputs);
      if (weights > MOST_WEIGHTS) {
        this.fail(
          `layer "${name}" reads ${weights} weights at once, at most ${MOST_WEIGHTS} are possible.`,
        );
      }
    }
    this.layers.set(name, layer);
    this.last = name;
  }

  finish(): Network {
    const { name, targetLayer, labels, input } = this.manifest;
    const layers = [...this.layers.values()];
    const classes = sizeOf(this.shapeOf(this.last, ''));
    if (classes !== labels.length) {
      this.fail(`the last layer has ${classes} outputs, but there are ${labels.length} labels.`);
    }
    const largestPixel = Math.max(
      ...[0, 1].flatMap((pixel) =>
        input.mean.map((mean, c) => Math.abs((pixel - mean) / (input.std[c] as number))),
      ),
    );
    const network = { name, input: this.input, largestPixel, layers, targetLayer, labels };
    targetIndex(network, targetLayer);
    return network;
  }

  /** Whether features end there: nothing but fully connected layers can read it. */
  private isFlat(name: string): boolean {
    const type = this.layers.get(name)?.type;
    return type === 'linear' || (this.manifest.version === 1 && type === 'globalavgpool');
  }
}

/** Layers that have activation maps: convolutions and max poolings. */
export function targetLayers(network: Network): readonly Layer[] {
  return network.layers.filter(({ type }) => type !== 'globalavgpool' && type !== 'linear');
}

/**
 * Index of the target layer called `name`.
 * @throws ScoreCamError `option` listing the layers that can be targets.
 */
export function targetIndex(network: Network, name: string): number {
  const allowed = targetLayers(network);
  const index = network.layers.findIndex((layer) => layer.name === name);
  if (!allowed.some((layer) => layer.name === name)) {
    throw new ScoreCamError(
      'option',
      `${index < 0 ? 'There is no layer' : 'No activation maps in layer'} "${name}" of ` +
        `"${network.name}". Layers to choose from: ${allowed.map((layer) => layer.name).join(', ')}.`,
    );
  }
  return index;
}

/** Floating-point operations (2 a multiply-add) of one layer for one image. */
export function layerFlops(layer: Layer): number {
  if (!isWeighted(layer)) return 0;
  const [, ...each] = weightShape(layer);
  return 2 * each.reduce((a, b) => a * b, sizeOf(layer.output));
}
