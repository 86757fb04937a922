import type { WindowShape } from '../../src/kernels/graph/window_shape';
import {
  IMAGE,
  isWeighted,
  type Layer,
  type Network,
  type Shape,
  type WeightedLayer,
  type Window,
} from '../../src/model/network';
import type { WeightSource } from '../../src/model/weight-source';
import { HARD_SIGMOID, HARD_SWISH, SIGMOID, SILU } from '../../src/numbers/activation';
import { activatedReference } from './window';

/**
 * Networks of any layers in f64, forwards and backwards, from the formulas: nothing is fused, no batch normalisation is
 * folded into weights, and every tensor is kept. Shares nothing with the product but shapes and codes.
 */

type Values = Float64Array<ArrayBuffer>;

export interface GraphPass {
  /** By layer; the image's are those of {@link IMAGE}. */
  readonly outputs: ReadonlyMap<string, Values>;
  /** What the layers' activations are of. */
  readonly sums: ReadonlyMap<string, Values>;
}

/**
 * A forward pass.
 * @param given outputs of layers to go on from in place of what they compute
 */
export async function graphForward(
  network: Network,
  weights: WeightSource,
  image: ArrayLike<number>,
  given: ReadonlyMap<string, ArrayLike<number>> = new Map(),
): Promise<GraphPass> {
  const outputs = new Map([[IMAGE, Float64Array.from(image)]]);
  const sums = new Map<string, Values>();
  for (const layer of network.layers) {
    const inputs = layer.inputs.map((name) => outputs.get(name) as Values);
    const sum = await sumOf(layer, weights, inputs);
    const activation = activationOf(layer);
    const own = given.get(layer.name);
    sums.set(layer.name, sum);
    outputs.set(
      layer.name,
      own ? Float64Array.from(own) : sum.map((x) => activatedReference(x, activation)),
    );
  }
  return { outputs, sums };
}

/** The last layer's outputs. */
export function logitsOf(network: Network, { outputs }: GraphPass): Values {
  return outputs.get((network.layers.at(-1) as Layer).name) as Values;
}

/**
 * Gradients of one class's logit or probability with respect to the output of every layer, and the image, by reverse-mode
 * differentiation with PyTorch's choices at kinks.
 * @param earliest go back no further than to the outputs of this layer; those of layers before it are not complete
 */
export async function graphBackward(
  network: Network,
  weights: WeightSource,
  pass: GraphPass,
  { classIndex, of }: { readonly classIndex: number; readonly of: 'logit' | 'probability' },
  earliest = IMAGE,
): Promise<Map<string, Values>> {
  const { outputs, sums } = pass;
  const gradients = new Map(
    Array.from(outputs, ([name, values]) => [name, new Float64Array(values.length)]),
  );
  const logits = logitsOf(network, pass);
  const largest = logits.reduce((a, b) => Math.max(a, b));
  const total = logits.reduce((sum, value) => sum + Math.exp(value - largest), 0);
  const p = logits.map((value) => Math.exp(value - largest) / total);
  gradients.set(
    (network.layers.at(-1) as Layer).name,
    logits.map((_, j) => {
      const delta = j === classIndex ? 1 : 0;
      return of === 'logit' ? delta : (p[classIndex] as number) * (delta - (p[j] as number));
    }),
  );
  for (const layer of [...network.layers].reverse()) {
    if (layer.name === earliest) break;
    const sum = sums.get(layer.name) as Values;
    const activation = activationOf(layer);
    const straight = (gradients.get(layer.name) as Values).map(
      (value, i) => value * derivativeReference(sum[i] as number, activation),
    );
    const inputs = layer.inputs.map((name) => outputs.get(name) as Values);
    const shares = await sharesOf(layer, weights, inputs, straight);
    layer.inputs.forEach((name, i) => {
      const to = gradients.get(name) as Values;
      shares[i]?.forEach((value, at) => {
        to[at] = (to[at] as number) + value;
      });
    });
  }
  return gradients;
}

function activationOf(layer: Layer): number {
  return 'activation' in layer ? layer.activation : 1;
}

const logistic = (x: number): number => 1 / (1 + Math.exp(-x));

/** Of an activation by its code (numbers/activation.ts). */
export function derivativeReference(x: number, code: number): number {
  switch (code) {
    case HARD_SWISH:
      return x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5;
    case SILU:
      return logistic(x) * (1 + x * (1 - logistic(x)));
    case SIGMOID:
      return logistic(x) * (1 - logistic(x));
    case HARD_SIGMOID:
      return x > -3 && x < 3 ? 1 / 6 : 0;
    default:
      return code < 0 ? Number(x > 0 && x < -code) : x > 0 ? 1 : code;
  }
}

/** Pixels of the output and of the input that meet in one position of the window: output[to[j]] sees input[from[j]]. */
interface Tap {
  readonly to: Int32Array;
  readonly from: Int32Array;
}

/** Where windows lie on planes. */
export interface Windows {
  readonly input: Pick<Shape, 'height' | 'width'>;
  readonly output: Pick<Shape, 'height' | 'width'>;
  readonly window: Pick<Window, 'kernel' | 'stride'> & {
    readonly padding: readonly [top: number, left: number, ...behind: number[]];
  };
}

/** The same, as kernels get it. */
export function windowsOf(shape: WindowShape): Windows {
  const { height, width, outHeight, outWidth, kernel, stride, before } = shape;
  return {
    input: { height, width },
    output: { height: outHeight, width: outWidth },
    window: { kernel, stride, padding: before },
  };
}

/** By position in the window, in scan order. What lies outside the input is left out. */
export function tapsOf({ input, output, window }: Windows): Tap[] {
  const { kernel, stride, padding } = window;
  return Array.from({ length: kernel[0] * kernel[1] }, (_, t) => {
    const [ky, kx] = [Math.floor(t / kernel[1]), t % kernel[1]];
    const [to, from]: [number[], number[]] = [[], []];
    for (let oy = 0; oy < output.height; oy++) {
      for (let ox = 0; ox < output.width; ox++) {
        const y = oy * stride[0] + ky - padding[0];
        const x = ox * stride[1] + kx - padding[1];
        if (y < 0 || y >= input.height || x < 0 || x >= input.width) continue;
        to.push(oy * output.width + ox);
        from.push(y * input.width + x);
      }
    }
    return { to: Int32Array.from(to), from: Int32Array.from(from) };
  });
}

/** Windows and groups of a layer that multiplies by weights. */
function convolutionOf(layer: WeightedLayer): Convolution {
  const { input, output } = layer;
  if (layer.type === 'windowconv') return layer;
  const size = layer.type === 'conv' ? layer.kernel : 1;
  const rows = (size - 1) / 2;
  const window = { kernel: [size, size], stride: [1, 1], padding: [rows, rows] } as const;
  return { input, output, window, groups: 1 };
}

type Pooling = Windows & { readonly of: 'max' | 'average'; readonly countsPadding: boolean };

/** Windows of a layer that pools. */
function poolingOf(layer: Exclude<Layer, WeightedLayer>): Pooling | undefined {
  const { input, output } = layer;
  if (layer.type === 'windowpool') return layer;
  if (layer.type === 'maxpool') {
    const window = { kernel: [2, 2], stride: [2, 2], padding: [0, 0] } as const;
    return { input, output, window, of: 'max', countsPadding: false };
  }
  if (layer.type !== 'globalavgpool') return undefined;
  const kernel = [input.height, input.width] as const;
  const window = { kernel, stride: [1, 1], padding: [0, 0] } as const;
  return { input, output, window, of: 'average', countsPadding: false };
}

interface Numbers {
  /** [outputs, inputs of a group, taps] */
  readonly weight: ArrayLike<number>;
  /** sum = factor * (weights * inputs) + shift, each [outputs] */
  readonly factor: Values;
  readonly shift: Values;
}

async function numbersOf(layer: WeightedLayer, weights: WeightSource): Promise<Numbers> {
  const { weight, bias, batchNorm } = layer.reads ?? { weight: layer.weight, bias: layer.bias };
  const { channels } = layer.output;
  const { kernel } = convolutionOf(layer).window;
  const depth = (layer.input.channels / convolutionOf(layer).groups) * kernel[0] * kernel[1];
  const read = async (name: string | undefined, count: number, absent: number) =>
    name === undefined
      ? new Float64Array(count).fill(absent)
      : Float64Array.from(await weights.read(name, 0, count));
  const offset = await read(bias, channels, 0);
  const numbers = { weight: await read(weight, channels * depth, 1) };
  if (!batchNorm) return { ...numbers, factor: offset.map(() => 1), shift: offset };
  const { scale, shift, mean, variance, epsilon } = batchNorm;
  const [gamma, beta, means, variances] = await Promise.all(
    [scale, shift, mean, variance].map((name) => read(name, channels, 0)),
  );
  const factor = offset.map(
    (_, o) => (gamma?.[o] as number) / Math.sqrt((variances?.[o] as number) + epsilon),
  );
  return {
    ...numbers,
    factor,
    shift: offset.map(
      (value, o) =>
        (value - (means?.[o] as number)) * (factor[o] as number) + (beta?.[o] as number),
    ),
  };
}

/** What a layer adds to the weighted sum of its inputs, with its batch normalisation folded in: [outputs]. */
export async function biasReference(layer: WeightedLayer, weights: WeightSource): Promise<Values> {
  return (await numbersOf(layer, weights)).shift;
}

/** What a layer computes before its activation. */
async function sumOf(
  layer: Layer,
  weights: WeightSource,
  inputs: readonly Values[],
): Promise<Values> {
  const [first, second] = inputs as [Values, Values];
  const channels = layer.output.channels;
  if (isWeighted(layer)) {
    const { weight, factor, shift } = await numbersOf(layer, weights);
    const sum = convReference(convolutionOf(layer), layer.input.channels, channels, first, weight);
    const plane = sum.length / channels;
    return sum.map((value, i) => {
      const o = Math.floor(i / plane);
      return value * (factor[o] as number) + (shift[o] as number);
    });
  }
  const pooling = poolingOf(layer);
  if (pooling) return poolReference(pooling, channels, first);
  switch (layer.type) {
    case 'add':
      return first.map((value, i) => value + (second[i] as number));
    case 'multiply':
      return multiplied(first, second);
    case 'concat': {
      const all = new Float64Array(inputs.reduce((sum, { length }) => sum + length, 0));
      let start = 0;
      for (const values of inputs) {
        all.set(values, start);
        start += values.length;
      }
      return all;
    }
    case 'activation':
      return first.slice();
    default:
      throw new Error(`no reference of ${layer.type}`);
  }
}

/** Gradients with respect to what a layer reads, from the one before its activation. */
async function sharesOf(
  layer: Layer,
  weights: WeightSource,
  inputs: readonly Values[],
  gradient: Values,
): Promise<Values[]> {
  const [first, second] = inputs as [Values, Values];
  const channels = layer.output.channels;
  if (isWeighted(layer)) {
    const { weight, factor } = await numbersOf(layer, weights);
    const plane = gradient.length / channels;
    const scaled = gradient.map((value, i) => value * (factor[Math.floor(i / plane)] as number));
    const own = convolutionOf(layer);
    return [convBackwardReference(own, layer.input.channels, channels, scaled, weight)];
  }
  const pooling = poolingOf(layer);
  if (pooling) return [poolBackwardReference(pooling, channels, first, gradient)];
  switch (layer.type) {
    case 'add':
      return [gradient, gradient];
    case 'multiply':
      return multiplyBackwardReference(first, second, gradient);
    case 'concat': {
      let end = 0;
      return inputs.map(({ length }) => {
        end += length;
        return gradient.slice(end - length, end);
      });
    }
    case 'activation':
      return [gradient];
    default:
      throw new Error(`no reference of ${layer.type}`);
  }
}

/** Calls `visit` for every weight with the planes that it connects. */
function eachWeight(
  groups: number,
  inChannels: number,
  outChannels: number,
  taps: readonly Tap[],
  visit: (o: number, c: number, tap: Tap, index: number) => void,
): void {
  const [ins, outs] = [inChannels / groups, outChannels / groups];
  for (let o = 0; o < outChannels; o++) {
    for (let c = 0; c < ins; c++) {
      taps.forEach((tap, t) => {
        visit(o, Math.floor(o / outs) * ins + c, tap, (o * ins + c) * taps.length + t);
      });
    }
  }
}

/** to[places[j]] += factor * from[others[j]] */
function addTo(
  to: Values,
  places: Int32Array,
  factor: number,
  from: Values,
  others: Int32Array,
): void {
  for (let j = 0; j < places.length; j++) {
    const at = places[j] as number;
    to[at] = (to[at] as number) + factor * (from[others[j] as number] as number);
  }
}

function planesOf(values: ArrayLike<number>, count: number): Values[] {
  const all = values instanceof Float64Array ? values : Float64Array.from(values);
  const size = all.length / count;
  return Array.from({ length: count }, (_, i) => all.subarray(i * size, (i + 1) * size) as Values);
}

type Convolution = Windows & { readonly groups: number };

/** [inChannels, height, width] to [outChannels, outHeight, outWidth] by weights [outChannels, inChannels / groups, taps]. */
export function convReference(
  windows: Convolution,
  inChannels: number,
  outChannels: number,
  input: ArrayLike<number>,
  weight: ArrayLike<number>,
): Values {
  const { groups, output } = windows;
  const out = new Float64Array(outChannels * output.height * output.width);
  const [outs, ins] = [planesOf(out, outChannels), planesOf(input, inChannels)];
  eachWeight(groups, inChannels, outChannels, tapsOf(windows), (o, c, { to, from }, index) => {
    addTo(outs[o] as Values, to, weight[index] as number, ins[c] as Values, from);
  });
  return out;
}

/** The gradient with respect to its input. */
export function convBackwardReference(
  windows: Convolution,
  inChannels: number,
  outChannels: number,
  gradient: ArrayLike<number>,
  weight: ArrayLike<number>,
): Values {
  const { groups, input } = windows;
  const result = new Float64Array(inChannels * input.height * input.width);
  const [ins, outs] = [planesOf(result, inChannels), planesOf(gradient, outChannels)];
  eachWeight(groups, inChannels, outChannels, tapsOf(windows), (o, c, { to, from }, index) => {
    addTo(ins[c] as Values, from, weight[index] as number, outs[o] as Values, to);
  });
  return result;
}

/** [channels, height, width] to [channels, outHeight, outWidth]. */
export function poolReference(
  { of, countsPadding, ...windows }: Pooling,
  channels: number,
  input: ArrayLike<number>,
): Values {
  const { counts, outPlane, plane, taps } = poolSizes(windows, countsPadding);
  const isMax = of === 'max';
  const out = new Float64Array(channels * outPlane).fill(isMax ? Number.NEGATIVE_INFINITY : 0);
  for (let c = 0; c < channels; c++) {
    for (const { to, from } of taps) {
      for (let j = 0; j < to.length; j++) {
        const at = c * outPlane + (to[j] as number);
        const value = input[c * plane + (from[j] as number)] as number;
        out[at] = isMax ? Math.max(out[at] as number, value) : (out[at] as number) + value;
      }
    }
  }
  return isMax ? out : out.map((sum, i) => sum / (counts[i % outPlane] as number));
}

/** The gradient with respect to its input: of equal maxima the first in scan order gets all. */
export function poolBackwardReference(
  { of, countsPadding, ...windows }: Pooling,
  channels: number,
  input: ArrayLike<number>,
  gradient: ArrayLike<number>,
): Values {
  const { counts, outPlane, plane, taps } = poolSizes(windows, countsPadding);
  const result = new Float64Array(channels * plane);
  const add = (at: number, value: number): void => {
    result[at] = (result[at] as number) + value;
  };
  for (let c = 0; c < channels; c++) {
    const chosen = new Int32Array(outPlane).fill(-1);
    for (const { to, from } of taps) {
      for (let j = 0; j < to.length; j++) {
        const [window, at] = [to[j] as number, c * plane + (from[j] as number)];
        const before = chosen[window] as number;
        if (before < 0 || (input[at] as number) > (input[before] as number)) chosen[window] = at;
        if (of === 'average') {
          add(at, (gradient[c * outPlane + window] as number) / (counts[window] as number));
        }
      }
    }
    if (of === 'max') {
      chosen.forEach((at, window) => {
        add(at, gradient[c * outPlane + window] as number);
      });
    }
  }
  return result;
}

function poolSizes(windows: Windows, countsPadding: boolean) {
  const taps = tapsOf(windows);
  const outPlane = windows.output.height * windows.output.width;
  const counts = new Int32Array(outPlane).fill(countsPadding ? taps.length : 0);
  for (const { to } of countsPadding ? [] : taps) {
    for (const window of to) counts[window] = (counts[window] as number) + 1;
  }
  return { taps, counts, outPlane, plane: windows.input.height * windows.input.width };
}

/** By the values of the second, or by one of them a plane. */
function multiplied(first: Values, second: Values): Values {
  const plane = first.length / second.length;
  return first.map((value, i) => value * (second[Math.floor(i / plane)] as number));
}

/** Gradients with respect to both factors; the second may be one a plane. */
export function multiplyBackwardReference(
  first: ArrayLike<number>,
  second: ArrayLike<number>,
  gradient: ArrayLike<number>,
): [Values, Values] {
  const plane = first.length / second.length;
  const toSecond = new Float64Array(second.length);
  const toFirst = Float64Array.from(gradient, (value, i) => {
    const factor = Math.floor(i / plane);
    toSecond[factor] = (toSecond[factor] as number) + value * (first[i] as number);
    return value * (second[factor] as number);
  });
  return [toFirst, toSecond];
}
