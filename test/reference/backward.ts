import type { Layer, Network } from '../../src/model/network';
import { elementCount, tensorOf, type WeightSource } from '../../src/model/weight-source';
import { forwardReference } from './score_cam';

/** Gradients in f64, in nested loops written from the definitions. */

type Values = Float64Array;

export interface ScoreReference {
  readonly classIndex: number;
  readonly of: 'logit' | 'probability';
}

/** The network from the layer after `target` on, which takes the target's maps as its image. */
function rest(network: Network, target: string): Network {
  const index = network.layers.findIndex(({ name }) => name === target);
  return { ...network, layers: network.layers.slice(index + 1) };
}

const softmaxOf = (logits: Values): Values => {
  const largest = logits.reduce((a, b) => Math.max(a, b));
  const exps = logits.map((value) => Math.exp(value - largest));
  const total = exps.reduce((a, b) => a + b);
  return exps.map((value) => value / total);
};

/** The class's score as a function of the target layer's maps. */
async function scoreOf(
  network: Network,
  weights: WeightSource,
  maps: ArrayLike<number>,
  { classIndex, of }: ScoreReference,
): Promise<number> {
  const outputs = await forwardReference(network, weights, maps);
  const logits = outputs.get((network.layers.at(-1) as Layer).name) as Values;
  return (of === 'logit' ? logits : softmaxOf(logits))[classIndex] as number;
}

/** d score / d maps by central differences: shares nothing with any backward pass. */
export async function differencesReference(
  network: Network,
  weights: WeightSource,
  target: string,
  maps: ArrayLike<number>,
  score: ScoreReference,
  step: number,
): Promise<Values> {
  const tail = rest(network, target);
  const out = new Float64Array(maps.length);
  for (let i = 0; i < maps.length; i++) {
    const moved = Float64Array.from(maps);
    moved[i] = (maps[i] as number) + step;
    const above = await scoreOf(tail, weights, moved, score);
    moved[i] = (maps[i] as number) - step;
    out[i] = (above - (await scoreOf(tail, weights, moved, score))) / (2 * step);
  }
  return out;
}

/** d score / d maps layer by layer, with PyTorch's choices at kinks. */
export async function backwardReference(
  network: Network,
  weights: WeightSource,
  target: string,
  maps: ArrayLike<number>,
  { classIndex, of }: ScoreReference,
): Promise<Values> {
  const { layers } = rest(network, target);
  const outputs = await forwardReference({ ...network, layers }, weights, maps);
  const inputOf = (i: number): ArrayLike<number> =>
    i === 0 ? maps : (outputs.get((layers[i - 1] as Layer).name) as Values);
  const logits = outputs.get((layers.at(-1) as Layer).name) as Values;
  const p = softmaxOf(logits);
  let gradient: Values = logits.map((_, j) => {
    const delta = j === classIndex ? 1 : 0;
    return of === 'logit' ? delta : (p[classIndex] as number) * (delta - (p[j] as number));
  });
  for (let i = layers.length - 1; i >= 0; i--) {
    const layer = layers[i] as Layer;
    gradient = await through(
      layer,
      weights,
      inputOf(i),
      outputs.get(layer.name) as Values,
      gradient,
    );
  }
  return gradient;
}

async function through(
  layer: Layer,
  weights: WeightSource,
  input: ArrayLike<number>,
  output: Values,
  gradient: Values,
): Promise<Values> {
  const { channels, height, width } = layer.input;
  const plane = height * width;
  const result = new Float64Array(channels * plane);
  const add = (at: number, value: number): void => {
    result[at] = (result[at] as number) + value;
  };
  if (layer.type === 'globalavgpool') {
    return result.map((_, i) => (gradient[Math.floor(i / plane)] as number) / plane);
  }
  if (layer.type === 'maxpool') {
    const { height: h, width: w } = layer.output;
    gradient.forEach((value, i) => {
      const first =
        Math.floor(i / (h * w)) * plane + 2 * (Math.floor(i / w) % h) * width + 2 * (i % w);
      const window = [first, first + 1, first + width, first + width + 1];
      const largest = Math.max(...window.map((at) => input[at] as number));
      add(window.find((at) => input[at] === largest) as number, value);
    });
    return result;
  }
  if (layer.type !== 'conv' && layer.type !== 'linear')
    throw new Error(`no reference of ${layer.type}`);
  const straight = gradient.map((value, i) =>
    (output[i] as number) > 0 ? value : layer.activation * value,
  );
  const w = await weights.read(
    layer.weight,
    0,
    elementCount(tensorOf(weights, layer.weight).shape),
  );
  if (layer.type === 'linear') {
    straight.forEach((value, o) => {
      for (let k = 0; k < result.length; k++) {
        add(k, value * (w[o * result.length + k] as number));
      }
    });
    return result;
  }
  const { kernel } = layer;
  const pad = (kernel - 1) / 2;
  straight.forEach((value, i) => {
    const [o, y, x] = [Math.floor(i / plane), Math.floor(i / width) % height, i % width];
    for (let k = 0; k < channels * kernel * kernel; k++) {
      const c = Math.floor(k / (kernel * kernel));
      const row = y + (Math.floor(k / kernel) % kernel) - pad;
      const column = x + (k % kernel) - pad;
      if (row < 0 || row >= height || column < 0 || column >= width) continue;
      add(
        c * plane + row * width + column,
        value * (w[o * channels * kernel * kernel + k] as number),
      );
    }
  });
  return result;
}
