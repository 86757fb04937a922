/// TensorFlow.js, loaded as the script files that its packages hold, which put it into the global `tf`.
import type { Model } from '../../src/model/model';
import type { Layer, Shape } from '../../src/model/network';
import type { WeightSource } from '../../src/model/weight-source';
import type { Ready } from './contender';

interface Tensor {
  data(): Promise<Float32Array>;
  dispose(): void;
}

interface Activation {
  readonly activation: 'linear' | 'relu' | 'leakyrelu';
  readonly leakyreluAlpha?: number;
}

/** The little of its API that is used. */
interface TensorFlow {
  setBackend(name: string): Promise<boolean>;
  getBackend(): string;
  tensor(values: Float32Array, shape: readonly number[]): Tensor;
  reshape(x: Tensor, shape: readonly number[]): Tensor;
  tidy(work: () => Tensor): Tensor;
  maxPool(x: Tensor, size: number, strides: number, pad: 'valid'): Tensor;
  mean(x: Tensor, axes: readonly number[]): Tensor;
  readonly fused: {
    conv2d(
      options: { x: Tensor; filter: Tensor; bias: Tensor; strides: 1; pad: 'same' } & Activation,
    ): Tensor;
    matMul(options: { a: Tensor; b: Tensor; bias: Tensor } & Activation): Tensor;
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

const PACKAGES = '/bench/node_modules/@tensorflow';

export async function prepareTensorFlow(model: Model, backend: 'webgpu' | 'wasm'): Promise<Ready> {
  await script(`${PACKAGES}/tfjs-core/dist/tf-core.es2017.min.js`);
  await script(`${PACKAGES}/tfjs-backend-${backend}/dist/tf-backend-${backend}.es2017.min.js`);
  if (backend === 'wasm') {
    tf.wasm.setWasmPaths(`${PACKAGES}/tfjs-backend-wasm/dist/`);
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

/**
 * The network in the layouts that TensorFlow.js's own models have: images NHWC, filters HWIO, fully connected
 * weights [inFeatures, outFeatures] over a flattened HWC. Activations are fused, as its converter fuses them.
 */
async function tensorFlowRunner({ network, weights }: Model): Promise<Ready['run']> {
  const layers: ((x: Tensor) => Tensor)[] = [];
  let before: Shape | undefined = network.input; // undefined once flattened
  for (const layer of network.layers) {
    layers.push(await operation(layer, before, weights));
    if (layer.type === 'linear' || layer.type === 'globalavgpool') before = undefined;
    else before = layer.output;
  }
  const { channels, height, width } = network.input;
  return async (input) => {
    const nhwc = swap(input, channels, height * width);
    const logits = tf.tidy(() =>
      layers.reduce((x, layer) => layer(x), tf.tensor(nhwc, [1, height, width, channels])),
    );
    const values = await logits.data();
    logits.dispose();
    return values;
  };
}

async function operation(
  layer: Layer,
  before: Shape | undefined,
  weights: WeightSource,
): Promise<(x: Tensor) => Tensor> {
  if (layer.type === 'maxpool') return (x) => tf.maxPool(x, 2, 2, 'valid');
  if (layer.type === 'globalavgpool') return (x) => tf.mean(x, [1, 2]);
  if (layer.type !== 'conv' && layer.type !== 'linear') {
    throw new Error(`Layer "${layer.name}" (${layer.type}) is not compared.`);
  }
  const inputs = layer.input.channels;
  const outputs = layer.output.channels;
  const bias = tf.tensor(await weights.read(layer.bias, 0, outputs), [outputs]);
  const activation = activationOf(layer.activation);
  if (layer.type === 'conv') {
    const { kernel } = layer;
    const oihw = await weights.read(layer.weight, 0, outputs * inputs * kernel ** 2);
    // [O, I HW] -> [I HW, O] -> [HW, I, O], one row of O at a time.
    const filter = tf.tensor(
      swapRows(swap(oihw, outputs, inputs * kernel ** 2), inputs, kernel ** 2, outputs),
      [kernel, kernel, inputs, outputs],
    );
    return (x) => tf.fused.conv2d({ x, filter, bias, strides: 1, pad: 'same', ...activation });
  }
  const matrix = swap(await weights.read(layer.weight, 0, outputs * inputs), outputs, inputs);
  const hwc = before
    ? swapRows(matrix, before.channels, before.height * before.width, outputs)
    : matrix;
  const b = tf.tensor(hwc, [inputs, outputs]);
  return (x) => tf.fused.matMul({ a: tf.reshape(x, [1, inputs]), b, bias, ...activation });
}

function activationOf(code: number): Activation {
  if (code === 1) return { activation: 'linear' };
  return code === 0 ? { activation: 'relu' } : { activation: 'leakyrelu', leakyreluAlpha: code };
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
