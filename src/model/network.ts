import { ScoreCamError } from '../errors';
import type { Activation, Manifest } from './manifest';

/** Shape of one image's tensor between two layers. */
export interface Shape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

export function sizeOf(shape: Shape): number {
  return shape.channels * shape.height * shape.width;
}

interface LayerBase {
  readonly name: string;
  readonly input: Shape;
  readonly output: Shape;
}

export interface ConvLayer extends LayerBase {
  readonly type: 'conv';
  readonly kernel: 1 | 3;
  /** max(x, 0) + slope min(x, 0): 0 is ReLU, 0.1 a leaky ReLU, 1 no activation. */
  readonly slope: number;
  readonly weight: string;
  readonly bias: string;
}

export interface PoolLayer<Type extends 'maxpool' | 'globalavgpool'> extends LayerBase {
  readonly type: Type;
}

export interface LinearLayer extends LayerBase {
  readonly type: 'linear';
  readonly slope: number;
  readonly weight: string;
  readonly bias: string;
}

export type Layer = ConvLayer | PoolLayer<'maxpool'> | PoolLayer<'globalavgpool'> | LinearLayer;

/** A manifest with every shape worked out and every rule checked: what the runtime plans from. */
export interface Network {
  readonly name: string;
  readonly input: Shape;
  readonly layers: readonly Layer[];
  readonly targetLayer: string;
  readonly labels: readonly string[];
}

/** Weights that are in memory at once, a convolution's or those of one fully connected output: 256 MiB of f32. */
const MOST_WEIGHTS = 2 ** 26;

/**
 * Infers all shapes of a manifest's network.
 * @throws ScoreCamError `network` naming the layer where something does not fit.
 */
export function buildNetwork(manifest: Manifest): Network {
  const fail = (message: string): never => {
    throw new ScoreCamError('network', `Network "${manifest.name}": ${message}`);
  };
  if (manifest.layers[0]?.type !== 'conv') {
    fail('the first layer must be a convolution (it takes the mask).');
  }
  const input: Shape = {
    channels: 3,
    height: manifest.input.height,
    width: manifest.input.width,
  };
  const names = new Set<string>();
  const layers: Layer[] = [];
  let shape = input;
  let flat = false;
  const limit = (name: string, weights: number): void => {
    if (weights > MOST_WEIGHTS) {
      fail(
        `layer "${name}" reads ${weights} weights at once, at most ${MOST_WEIGHTS} are possible.`,
      );
    }
  };
  for (const entry of manifest.layers) {
    const { name } = entry;
    if (names.has(name)) fail(`two layers are called "${name}"; names must differ.`);
    names.add(name);
    if (flat && entry.type !== 'linear') {
      fail(`layer "${name}" (${entry.type}) comes after the features were flattened.`);
    }
    const before = shape;
    switch (entry.type) {
      case 'conv':
        shape = { ...before, channels: entry.outChannels };
        limit(name, shape.channels * before.channels * entry.kernel ** 2);
        layers.push({
          type: 'conv',
          name,
          input: before,
          output: shape,
          kernel: entry.kernel,
          slope: slopeOf(entry.activation),
          weight: entry.weight,
          bias: entry.bias,
        });
        break;
      case 'maxpool':
        shape = {
          channels: before.channels,
          height: Math.floor(before.height / 2),
          width: Math.floor(before.width / 2),
        };
        if (shape.height < 1 || shape.width < 1) {
          fail(`layer "${name}" pools ${before.height}x${before.width} to nothing.`);
        }
        layers.push({ type: 'maxpool', name, input: before, output: shape });
        break;
      case 'globalavgpool':
        flat = true;
        shape = { channels: before.channels, height: 1, width: 1 };
        layers.push({ type: 'globalavgpool', name, input: before, output: shape });
        break;
      case 'linear':
        flat = true;
        limit(name, sizeOf(before));
        shape = { channels: entry.outFeatures, height: 1, width: 1 };
        layers.push({
          type: 'linear',
          name,
          input: { channels: sizeOf(before), height: 1, width: 1 },
          output: shape,
          slope: slopeOf(entry.activation),
          weight: entry.weight,
          bias: entry.bias,
        });
    }
  }
  const classes = sizeOf(shape);
  if (classes !== manifest.labels.length) {
    fail(`the last layer has ${classes} outputs, but there are ${manifest.labels.length} labels.`);
  }
  const network: Network = {
    name: manifest.name,
    input,
    layers,
    targetLayer: manifest.targetLayer,
    labels: manifest.labels,
  };
  targetIndex(network, network.targetLayer);
  return network;
}

function slopeOf(activation: Activation | undefined): number {
  if (activation === undefined) return 1;
  return activation === 'relu' ? 0 : activation.leakyRelu;
}

/** Layers that have activation maps: convolutions and max poolings. */
export function targetLayers(network: Network): readonly Layer[] {
  return network.layers.filter((layer) => layer.type === 'conv' || layer.type === 'maxpool');
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
  if (layer.type === 'conv') {
    return 2 * sizeOf(layer.output) * layer.input.channels * layer.kernel * layer.kernel;
  }
  return layer.type === 'linear' ? 2 * sizeOf(layer.input) * sizeOf(layer.output) : 0;
}
