/// TensorFlow.js, loaded as the script files that its packages hold, which put it into the global `tf`.
import type { Model } from '../../src/model/model';
import { IMAGE, isWeighted, type Layer, readBy, type Window } from '../../src/model/network';
import {
  HARD_SIGMOID,
  HARD_SWISH,
  NO_ACTIVATION,
  RELU,
  SIGMOID,
  SILU,
} from '../../src/numbers/activation';
import type { Ready } from './contender';
import { type LayerWeights, layerWeights } from './layer-weights';
import { packageUrl } from './package-url';
import { HALVING, windowOf } from './windows';

interface Tensor {
  data(): Promise<Float32Array>;
  dispose(): void;
}

interface Fused {
  readonly activation: 'linear' | 'relu' | 'relu6' | 'leakyrelu';
  readonly leakyreluAlpha?: number;
}

/** Of [batch, height, width, channels]. */
type Pads = readonly (readonly [before: number, behind: number])[];

type Pair = readonly [number, number];

interface Convolution extends Fused {
  readonly x: Tensor;
  readonly filter: Tensor;
  readonly bias: Tensor;
  readonly strides: Pair;
  readonly pad: Pads;
}

/** The little of its API that is used. */
interface TensorFlow {
  setBackend(name: string): Promise<boolean>;
  getBackend(): string;
  tensor(values: Float32Array, shape: readonly number[]): Tensor;
  reshape(x: Tensor, shape: readonly number[]): Tensor;
  tidy(work: () => Tensor): Tensor;
  maxPool(x: Tensor, size: Pair, strides: Pair, pad: Pads): Tensor;
  avgPool(x: Tensor, size: Pair, strides: Pair, pad: Pads): Tensor;
  pad(x: Tensor, pads: Pads): Tensor;
  mean(x: Tensor, axes: readonly number[], keepDims: boolean): Tensor;
  add(a: Tensor, b: Tensor | number): Tensor;
  mul(a: Tensor, b: Tensor | number): Tensor;
  concat(all: readonly Tensor[], axis: number): Tensor;
  relu(x: Tensor): Tensor;
  leakyRelu(x: Tensor, alpha: number): Tensor;
  sigmoid(x: Tensor): Tensor;
  clipByValue(x: Tensor, least: number, most: number): Tensor;
  readonly fused: {
    conv2d(options: Convolution): Tensor;
    depthwiseConv2d(options: Convolution): Tensor;
    matMul(options: { a: Tensor; b: Tensor; bias: Tensor } & Fused): Tensor;
  };
  readonly wasm: {
    setWasmPaths(folder: string): void;
    setThreadsCount(count: number): void;
    getThreadsCount(): number;
  };
}

declare global {
  var tf: TensorFlow;
}

export async function prepareTensorFlow(model: Model, backend: 'webgpu' | 'wasm'): Promise<Ready> {
  const folder = `@tensorflow/tfjs-backend-${backend}/dist`;
  await script(packageUrl('@tensorflow/tfjs-core/dist/tf-core.es2017.min.js'));
  await script(packageUrl(`${folder}/tf-backend-${backend}.es2017.min.js`));
  if (backend === 'wasm') {
    tf.wasm.setWasmPaths(packageUrl(`${folder}/`));
    tf.wasm.setThreadsCount(navigator.hardwareConcurrency);
  }
  if (!(await tf.setBackend(backend)) || tf.getBackend() !== backend) {
    throw new Error(`TensorFlow.js has no backend "${backend}" in this browser.`);
  }
  const run = await tensorFlowRunner(model);
  return { run, ...(backend === 'wasm' ? { threads: tf.wasm.getThreadsCount() } : {}) };
}

function script(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const element = document.createElement('script');
    element.src = url;
    element.onload = () => resolve();
    element.onerror = () => reject(new Error(`${url} did not load.`));
    document.head.append(element);
  });
}

type Operation = (x: Tensor, ...others: Tensor[]) => Tensor;

/**
 * The network in the layouts that TensorFlow.js's own models have: images NHWC, filters HWIO, fully connected
 * weights [inFeatures, outFeatures] over a flattened HWC. Activations are fused where its converter fuses them.
 */
export async function tensorFlowRunner({
  network,
  weights,
}: Pick<Model, 'network' | 'weights'>): Promise<Ready['run']> {
  const { channels, height, width } = network.input;
  const operations = new Map<Layer, Operation>();
  for await (const own of layerWeights(network, weights)) {
    operations.set(own.layer, weighted(own, network));
  }
  for (const layer of network.layers) {
    if (!isWeighted(layer)) operations.set(layer, weightless(layer));
  }
  return async (input) => {
    const nhwc = swap(input, channels, height * width);
    const logits = tf.tidy(() => {
      let last = tf.tensor(nhwc, [1, height, width, channels]);
      const values = new Map([[IMAGE, last]]);
      for (const layer of network.layers) {
        const inputs = layer.inputs.map((name) => values.get(name)) as [Tensor, ...Tensor[]];
        last = (operations.get(layer) as Operation)(...inputs);
        values.set(layer.name, last);
      }
      return last;
    });
    const values = await logits.data();
    logits.dispose();
    return values;
  };
}

function weighted(
  { layer, weight, bias: sums }: LayerWeights,
  network: Model['network'],
): Operation {
  const outputs = layer.output.channels;
  const bias = tf.tensor(sums.slice(), [outputs]);
  const [fused, then = asIs] = activationOf(layer.activation);
  if (layer.type === 'linear') {
    const inputs = layer.input.channels;
    const { channels, height, width } = readBy(network, layer);
    const hwc = swapRows(swap(weight, outputs, inputs), channels, height * width, outputs);
    const b = tf.tensor(hwc, [inputs, outputs]);
    return (x) => then(tf.fused.matMul({ a: tf.reshape(x, [1, inputs]), b, bias, ...fused }));
  }
  const groups = layer.type === 'conv' ? 1 : layer.groups;
  const inputs = layer.input.channels / groups;
  if (groups > 1 && inputs > 1) {
    throw new Error(
      `TensorFlow.js has no convolution in ${groups} groups of ${inputs} channels (layer "${layer.name}"): its groups ` +
        'are of one.',
    );
  }
  const { kernel, stride: strides, padding } = windowOf(layer);
  const taps = kernel[0] * kernel[1];
  // [O, I HW] -> [I HW, O] -> [HW, I, O], one row of O at a time; where each group has one input, O is [inputs, of each].
  const values = swapRows(swap(weight, outputs, inputs * taps), inputs, taps, outputs);
  const shape = groups > 1 ? [groups, outputs / groups] : [inputs, outputs];
  const filter = tf.tensor(values, [...kernel, ...shape]);
  const convolve = groups > 1 ? tf.fused.depthwiseConv2d : tf.fused.conv2d;
  const pad = padsOf(padding);
  return (x) => then(convolve({ x, filter, bias, strides, pad, ...fused }));
}

function weightless(layer: Layer): Operation {
  const [fused, then = asIs] = 'activation' in layer ? activationOf(layer.activation) : [NONE];
  const bend = (x: Tensor): Tensor => then(alone(fused, x));
  switch (layer.type) {
    case 'maxpool':
      return (x) => tf.maxPool(x, HALVING.kernel, HALVING.stride, padsOf(HALVING.padding));
    case 'windowpool': {
      const { kernel, stride, padding } = layer.window;
      const pads = padsOf(padding);
      if (layer.of === 'max') return (x) => tf.maxPool(x, kernel, stride, pads);
      if (!layer.countsPadding) return (x) => tf.avgPool(x, kernel, stride, pads);
      return (x) => tf.avgPool(tf.pad(x, pads), kernel, stride, padsOf([0, 0, 0, 0]));
    }
    case 'globalavgpool':
      return (x) => tf.mean(x, [1, 2], true);
    case 'add':
      return (x, y) => bend(tf.add(x, y as Tensor));
    case 'multiply':
      return (x, y) => bend(tf.mul(x, y as Tensor));
    case 'concat':
      return (...all) => bend(tf.concat(all, 3));
    case 'activation':
      return bend;
    default:
      throw new Error(`Layer "${layer.name}" (${layer.type}) is not compared.`);
  }
}

function padsOf([top, left, bottom, right]: Window['padding']): Pads {
  return [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ];
}

const asIs = (x: Tensor): Tensor => x;
const NONE: Fused = { activation: 'linear' };

/** An activation by its code: what can be fused, and what comes behind it. */
function activationOf(code: number): [Fused, ((x: Tensor) => Tensor)?] {
  const hardSigmoid = (x: Tensor): Tensor => tf.clipByValue(tf.add(tf.mul(x, 1 / 6), 0.5), 0, 1);
  switch (code) {
    case NO_ACTIVATION:
      return [NONE];
    case RELU:
      return [{ activation: 'relu' }];
    case -6:
      return [{ activation: 'relu6' }];
    case SIGMOID:
      return [NONE, (x) => tf.sigmoid(x)];
    case SILU:
      return [NONE, (x) => tf.mul(x, tf.sigmoid(x))];
    case HARD_SIGMOID:
      return [NONE, hardSigmoid];
    case HARD_SWISH:
      return [NONE, (x) => tf.mul(x, hardSigmoid(x))];
    default:
      return code > 0
        ? [{ activation: 'leakyrelu', leakyreluAlpha: code }]
        : [NONE, (x) => tf.clipByValue(x, 0, -code)];
  }
}

/** What could be fused, where there is nothing to fuse it with. */
function alone({ activation, leakyreluAlpha = 0 }: Fused, x: Tensor): Tensor {
  if (activation === 'relu') return tf.relu(x);
  if (activation === 'relu6') return tf.clipByValue(x, 0, 6);
  return activation === 'linear' ? x : tf.leakyRelu(x, leakyreluAlpha);
}

/** [rows, columns] to [columns, rows], in blocks that stay in the cache. */
export function swap(
  values: Float32Array,
  rows: number,
  columns: number,
): Float32Array<ArrayBuffer> {
  const block = 32;
  const swapped = new Float32Array(values.length);
  for (let top = 0; top < rows; top += block) {
    const bottom = Math.min(top + block, rows);
    for (let left = 0; left < columns; left += block) {
      const right = Math.min(left + block, columns);
      for (let column = left; column < right; column++) {
        for (let row = top; row < bottom; row++) {
          swapped[column * rows + row] = values[row * columns + column] as number;
        }
      }
    }
  }
  return swapped;
}

/** [rows, columns, length] to [columns, rows, length]. */
export function swapRows(
  values: Float32Array,
  rows: number,
  columns: number,
  length: number,
): Float32Array<ArrayBuffer> {
  const swapped = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const from = (row * columns + column) * length;
      swapped.set(values.subarray(from, from + length), (column * rows + row) * length);
    }
  }
  return swapped;
}
