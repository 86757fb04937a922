/**
 * A network as the files of a TensorFlow.js layers model: topology and weights as Keras' documentation has them, so that
 * reading them is tested against somebody else's word. https://keras.io/api/layers/
 */
import { HALVING, windowOf } from '../../bench/peers/windows';
import type { Model } from '../../src/index';
import {
  IMAGE,
  isWeighted,
  type Layer,
  type Network,
  type Shape,
  type WeightedLayer,
  type Window,
  weightShape,
} from '../../src/model/network';
import type { BatchNormTensors } from '../../src/model/tensors';
import { elementCount, type WeightSource } from '../../src/model/weight-source';
import { ceilingCode, NO_ACTIVATION, RELU } from '../../src/numbers/activation';

type Json = Record<string, unknown>;

/** Of a shard, as TensorFlow.js' converter writes them. */
const SHARD = 4 * 2 ** 20;

/** The model.json and its shards. @throws Error for what Keras has no layer for */
export async function kerasFiles({ network, weights }: Model): Promise<File[]> {
  const writer = new Writer(network, weights);
  await writer.run();
  return writer.files();
}

class Writer {
  private readonly layers: Json[] = [];
  private readonly facts: Json[] = [];
  private readonly values: Float32Array<ArrayBuffer>[] = [];
  /** The layer of Keras' that ends what a layer of the network computes. */
  private readonly ends = new Map<string, string>();
  private readonly network: Network;
  private readonly weights: WeightSource;

  constructor(network: Network, weights: WeightSource) {
    this.network = network;
    this.weights = weights;
  }

  async run(): Promise<void> {
    const { height, width, channels } = this.network.input;
    const image = this.add('InputLayer', IMAGE, [], {
      batch_input_shape: [null, height, width, channels],
    });
    this.ends.set(IMAGE, image);
    for (const layer of this.network.layers) {
      const inputs = layer.inputs.map((name) => this.ends.get(name) as string);
      const sum = isWeighted(layer)
        ? await this.weighted(layer, inputs)
        : this.weightless(layer, inputs);
      this.ends.set(layer.name, this.bent(layer, sum));
    }
  }

  files(): File[] {
    const all = new Blob(this.values);
    const count = Math.ceil(all.size / SHARD);
    const shards = Array.from({ length: count }, (_, i) => {
      const bytes = all.slice(i * SHARD, (i + 1) * SHARD);
      return new File([bytes], `group1-shard${i + 1}of${count}.bin`);
    });
    const last = this.network.layers.at(-1) as Layer;
    const config = {
      name: this.network.name,
      layers: this.layers,
      input_layers: [[IMAGE, 0, 0]],
      output_layers: [[this.ends.get(last.name), 0, 0]],
    };
    const json = {
      format: 'layers-model',
      modelTopology: {
        keras_version: '2.15.0',
        model_config: { class_name: 'Functional', config },
      },
      weightsManifest: [{ paths: shards.map(({ name }) => name), weights: this.facts }],
    };
    return [new File([JSON.stringify(json)], 'model.json'), ...shards];
  }

  private add(type: string, name: string, inputs: readonly string[], config: Json): string {
    const nodes = inputs.length > 0 ? [inputs.map((of) => [of, 0, 0, {}])] : [];
    this.layers.push({ class_name: type, name, config: { name, ...config }, inbound_nodes: nodes });
    return name;
  }

  private store(name: string, shape: readonly number[], values: Float32Array<ArrayBuffer>): void {
    this.facts.push({ name, shape, dtype: 'float32' });
    this.values.push(values);
  }

  private async read(name: string, shape: readonly number[]): Promise<Float32Array<ArrayBuffer>> {
    return this.weights.read(name, 0, elementCount(shape));
  }

  private async weighted(layer: WeightedLayer, inputs: readonly string[]): Promise<string> {
    const { name } = layer;
    const tensors = layer.reads ?? { ...layer, batchNorm: undefined };
    const channels = layer.output.channels;
    if (tensors.weight === undefined) {
      return this.normalised(name, inputs, channels, tensors.batchNorm as BatchNormTensors);
    }
    const sum = await this.product(layer, tensors.weight, inputs, tensors.bias !== undefined);
    if (tensors.bias !== undefined) {
      this.store(`${name}/bias`, [channels], await this.read(tensors.bias, [channels]));
    }
    const { batchNorm } = tensors;
    return batchNorm ? this.normalised(`${name}_bn`, [sum], channels, batchNorm) : sum;
  }

  /**
   * Conv2D's kernel is [height, width, in, out], Dense's [in, out], DepthwiseConv2D's [height, width, in, depth_multiplier],
   * whose output c depth_multiplier + m is the m-th of channel c.
   */
  private async product(
    layer: WeightedLayer,
    weight: string,
    inputs: readonly string[],
    use_bias: boolean,
  ): Promise<string> {
    const { name, input, output } = layer;
    const shape = weightShape(layer);
    const [outputs, each, height = 1, width = 1] = shape as [number, number, number?, number?];
    const kernel = hwio(await this.read(weight, shape), outputs, each, height * width);
    if (layer.type === 'linear') {
      this.flat(name, inputs);
      this.store(`${name}/kernel`, [each, outputs], kernel);
      return this.add('Dense', name, inputs, { units: outputs, activation: 'linear', use_bias });
    }
    const groups = layer.type === 'conv' ? 1 : layer.groups;
    const [padded, own] = this.padded(name, inputs, input, windowOf(layer));
    const config = { ...own, kernel_size: [height, width], activation: 'linear', use_bias };
    if (groups === 1) {
      this.store(`${name}/kernel`, [height, width, each, outputs], kernel);
      return this.add('Conv2D', name, padded, { ...config, filters: output.channels });
    }
    if (each !== 1) throw new Error(`"${name}" has ${groups} groups of ${each} channels`);
    const depth_multiplier = outputs / groups;
    this.store(`${name}/depthwise_kernel`, [height, width, groups, depth_multiplier], kernel);
    return this.add('DepthwiseConv2D', name, padded, { ...config, depth_multiplier });
  }

  private async normalised(
    name: string,
    inputs: readonly string[],
    channels: number,
    { scale, shift, mean, variance, epsilon }: BatchNormTensors,
  ): Promise<string> {
    const parts = { gamma: scale, beta: shift, moving_mean: mean, moving_variance: variance };
    for (const [part, tensor] of Object.entries(parts)) {
      this.store(`${name}/${part}`, [channels], await this.read(tensor, [channels]));
    }
    const config = { axis: [3], epsilon, center: true, scale: true };
    return this.add('BatchNormalization', name, inputs, config);
  }

  private weightless(layer: Exclude<Layer, WeightedLayer>, inputs: readonly string[]): string {
    const { name, input } = layer;
    switch (layer.type) {
      case 'maxpool':
      case 'windowpool': {
        const window = layer.type === 'maxpool' ? HALVING : layer.window;
        const isMax = layer.type === 'maxpool' || layer.of === 'max';
        const [padded, own] = this.padded(name, inputs, input, window);
        if (padded !== inputs && !(isMax && this.isPositive(layer.inputs[0] as string))) {
          throw new Error(`"${name}" pools padding that is not zero`);
        }
        const config = { ...own, pool_size: window.kernel };
        return this.add(isMax ? 'MaxPooling2D' : 'AveragePooling2D', name, padded, config);
      }
      case 'globalavgpool':
        return this.add('GlobalAveragePooling2D', name, inputs, {});
      case 'add':
        return this.add('Add', name, inputs, {});
      case 'concat':
        return this.add('Concatenate', name, inputs, { axis: 3 });
      default:
        throw new Error(`"${name}" is ${layer.type}`);
    }
  }

  /** Strides and padding as Keras says them: `valid`, `same`, or a layer of zeros before it. */
  private padded(
    name: string,
    inputs: readonly string[],
    { height, width }: Shape,
    { kernel, stride, padding }: Window,
  ): [inputs: readonly string[], config: Json] {
    const [top, left, bottom, right] = padding;
    const config = { strides: stride, data_format: 'channels_last' };
    if (padding.every((rows) => rows === 0)) return [inputs, { ...config, padding: 'valid' }];
    const [down, across] = [height, width].map((size, axis) => {
      const step = stride[axis] as number;
      return Math.max(0, (Math.ceil(size / step) - 1) * step + (kernel[axis] as number) - size);
    }) as [number, number];
    const isSame =
      top + bottom === down &&
      left + right === across &&
      top === Math.floor(down / 2) &&
      left === Math.floor(across / 2);
    if (isSame) return [inputs, { ...config, padding: 'same' }];
    const zeros = this.add('ZeroPadding2D', `${name}_pad`, inputs, {
      padding: [
        [top, bottom],
        [left, right],
      ],
      data_format: 'channels_last',
    });
    return [[zeros], { ...config, padding: 'valid' }];
  }

  private bent(layer: Layer, sum: string): string {
    const activation = 'activation' in layer ? layer.activation : NO_ACTIVATION;
    const name = `${layer.name}_relu`;
    switch (activation) {
      case NO_ACTIVATION:
        return sum;
      case RELU:
        return this.add('Activation', name, [sum], { activation: 'relu' });
      case ceilingCode(6):
        return this.add('ReLU', name, [sum], { max_value: 6, negative_slope: 0, threshold: 0 });
      default:
        throw new Error(`"${layer.name}" has the activation ${activation}`);
    }
  }

  /** Zeros are no maximum over what is never below them. */
  private isPositive(name: string): boolean {
    const layer = this.network.layers.find((one) => one.name === name);
    return layer !== undefined && 'activation' in layer && layer.activation === RELU;
  }

  /** Behind one pixel a channel, nothing is to be flattened. */
  private flat(name: string, inputs: readonly string[]): void {
    const type = this.layers.find((one) => one.name === inputs[0])?.class_name;
    if (type !== 'GlobalAveragePooling2D') throw new Error(`"${name}" reads maps`);
  }
}

/** torch's [out, in, taps] to [taps, in, out] */
function hwio(
  values: Float32Array,
  outputs: number,
  inputs: number,
  taps: number,
): Float32Array<ArrayBuffer> {
  const turned = new Float32Array(values.length);
  let at = 0;
  for (let tap = 0; tap < taps; tap++) {
    for (let i = 0; i < inputs; i++) {
      for (let o = 0; o < outputs; o++) {
        turned[at++] = values[(o * inputs + i) * taps + tap] as number;
      }
    }
  }
  return turned;
}
