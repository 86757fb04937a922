import { type Network, sizeOf } from '../../src/model/network';
import { elementCount, tensorOf, type WeightSource } from '../../src/model/weight-source';
import { rangeOf, upsampleReference } from './interpolation';

/**
 * All of Score-CAM in f64, written from the formulas and sharing nothing with the product but the
 * shapes: every loop is spelled out, masked images are made, nothing is fused.
 */

type Values = Float64Array;

/** One forward pass; returns the output of every layer by name, the last one being the logits. */
export async function forwardReference(
  network: Network,
  weights: WeightSource,
  image: ArrayLike<number>,
): Promise<Map<string, Values>> {
  const outputs = new Map<string, Values>();
  let current: Values = Float64Array.from(image);
  for (const layer of network.layers) {
    const { channels, height, width } = layer.input;
    const out = new Float64Array(sizeOf(layer.output));
    const plane = height * width;
    if (layer.type === 'maxpool') {
      const { height: h, width: w } = layer.output;
      for (let i = 0; i < out.length; i++) {
        const [c, y, x] = [Math.floor(i / (h * w)), Math.floor(i / w) % h, i % w];
        const at = c * plane + 2 * y * width + 2 * x;
        out[i] = Math.max(
          ...[at, at + 1, at + width, at + width + 1].map((j) => current[j] as number),
        );
      }
    } else if (layer.type === 'globalavgpool') {
      for (let c = 0; c < channels; c++) {
        const map = current.subarray(c * plane, (c + 1) * plane);
        out[c] = map.reduce((sum, value) => sum + value, 0) / plane;
      }
    } else {
      const { shape } = tensorOf(weights, layer.weight);
      const w = await weights.read(layer.weight, 0, elementCount(shape));
      const bias = await weights.read(layer.bias, 0, layer.output.channels);
      const kernel = layer.type === 'conv' ? layer.kernel : 1;
      const pad = (kernel - 1) / 2;
      for (let i = 0; i < out.length; i++) {
        const [o, y, x] = [Math.floor(i / plane), Math.floor(i / width) % height, i % width];
        let sum = bias[o] as number;
        for (let c = 0; c < channels; c++) {
          for (let ky = 0; ky < kernel; ky++) {
            for (let kx = 0; kx < kernel; kx++) {
              const [yy, xx] = [y + ky - pad, x + kx - pad];
              if (yy < 0 || yy >= height || xx < 0 || xx >= width) continue;
              sum +=
                (w[((o * channels + c) * kernel + ky) * kernel + kx] as number) *
                (current[c * plane + yy * width + xx] as number);
            }
          }
        }
        out[i] = sum > 0 ? sum : layer.slope * sum;
      }
    }
    outputs.set(layer.name, out);
    current = out;
  }
  return outputs;
}

export interface ScoreCamReference {
  readonly probabilities: number[];
  readonly constantChannels: number[];
  /** Logits of each masked pass by channel; undefined where constant. */
  readonly scores: (number[] | undefined)[];
  /** The official map of each class. */
  readonly maps: { weights: number[]; data: number[]; flat: boolean }[];
}

const softmaxOf = (logits: readonly number[]): number[] => {
  const largest = Math.max(...logits);
  const exps = logits.map((value) => Math.exp(value - largest));
  const total = exps.reduce((a, b) => a + b, 0);
  return exps.map((value) => value / total);
};

export async function scoreCamReference(
  network: Network,
  weights: WeightSource,
  image: ArrayLike<number>,
  layer: string,
): Promise<ScoreCamReference> {
  const { height, width } = network.input;
  const outputs = await forwardReference(network, weights, image);
  const last = (network.layers.at(-1) as { name: string }).name;
  const target = network.layers.find((candidate) => candidate.name === layer);
  if (!target) throw new Error(`no layer ${layer}`);
  const { channels: count, height: h, width: w } = target.output;
  const activations = outputs.get(layer) as Values;
  const size = { mapHeight: h, mapWidth: w, height, width, alignCorners: false };
  const upsampled = Array.from({ length: count }, (_, k) =>
    upsampleReference(activations.subarray(k * h * w, (k + 1) * h * w), size),
  );
  const constantChannels: number[] = [];
  const scores: (number[] | undefined)[] = [];
  for (const [k, up] of upsampled.entries()) {
    const { min, max } = rangeOf(up);
    if (max === min) {
      constantChannels.push(k);
      scores.push(undefined);
      continue;
    }
    const masked = Float64Array.from(image, (value, i) => {
      return (value * ((up[i % up.length] as number) - min)) / (max - min);
    });
    scores.push([...((await forwardReference(network, weights, masked)).get(last) as Values)]);
  }
  const maps = network.labels.map((_, c) => {
    const alpha = scores.map((logits) => (logits ? (softmaxOf(logits)[c] as number) : 0));
    const sum = Array.from({ length: height * width }, (_unused, i) =>
      Math.max(
        0,
        upsampled.reduce((total, up, k) => total + (alpha[k] as number) * (up[i] as number), 0),
      ),
    );
    const { min, max } = rangeOf(sum);
    const flat = !(max > min);
    return { weights: alpha, data: sum.map((v) => (flat ? 0 : (v - min) / (max - min))), flat };
  });
  return {
    probabilities: softmaxOf([...(outputs.get(last) as Values)]),
    constantChannels,
    scores,
    maps,
  };
}
