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
      if (layer.type !== 'conv' && layer.type !== 'linear')
        throw new Error(`no reference of ${layer.type}`);
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
        out[i] = sum > 0 ? sum : layer.activation * sum;
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

/** A variant of Score-CAM; the default is the official code. */
export interface Variant {
  readonly weighting: 'probability' | 'increase' | 'softmax-logit' | 'softmax-increase';
  readonly alignCorners: boolean;
  /** What `increase` compares with, [3, height, width]. */
  readonly baseline?: ArrayLike<number>;
}

/** Smallest and largest value that masks are normalised by. */
function maskRange(map: Values, upsampled: Values, weighting: Variant['weighting']) {
  return rangeOf(weighting === 'softmax-increase' ? map : upsampled);
}

export async function scoreCamReference(
  network: Network,
  weights: WeightSource,
  image: ArrayLike<number>,
  layer: string,
  variant: Variant = { weighting: 'probability', alignCorners: false },
): Promise<ScoreCamReference> {
  const { weighting, alignCorners } = variant;
  const { height, width } = network.input;
  const last = (network.layers.at(-1) as { name: string }).name;
  const logitsOf = async (input: ArrayLike<number>): Promise<number[]> => [
    ...((await forwardReference(network, weights, input)).get(last) as Values),
  ];
  const outputs = await forwardReference(network, weights, image);
  const imageLogits = [...(outputs.get(last) as Values)];
  const baseline = softmaxOf(await logitsOf(variant.baseline ?? new Float64Array(image.length)));
  const target = network.layers.find((candidate) => candidate.name === layer);
  if (!target) throw new Error(`no layer ${layer}`);
  const { channels: count, height: h, width: w } = target.output;
  const activations = outputs.get(layer) as Values;
  const low = Array.from({ length: count }, (_, k) =>
    activations.subarray(k * h * w, (k + 1) * h * w),
  );
  const size = { mapHeight: h, mapWidth: w, height, width };
  const upsampled = low.map((map) => upsampleReference(map, { ...size, alignCorners }));
  const constantChannels: number[] = [];
  const scores: (number[] | undefined)[] = [];
  for (const [k, up] of upsampled.entries()) {
    const { min, max } = maskRange(low[k] as Values, up, weighting);
    if (max === min) {
      constantChannels.push(k);
      scores.push(undefined);
      continue;
    }
    const masked = Float64Array.from(image, (value, i) => {
      return (value * ((up[i % up.length] as number) - min)) / (max - min);
    });
    scores.push(await logitsOf(masked));
  }
  const maps = network.labels.map((_, c) => {
    const alpha = alphaOf(weighting, scores, c, imageLogits, baseline);
    const sumOf = (parts: readonly Values[]): Values =>
      Float64Array.from(parts[0] as Values, (_value, i) =>
        parts.reduce((total, part, k) => total + (alpha[k] as number) * (part[i] as number), 0),
      );
    const rectified = (values: Values): Values => values.map((value) => Math.max(0, value));
    const sum = weighting.startsWith('softmax')
      ? upsampleReference(rectified(sumOf(low)), { ...size, alignCorners: false })
      : rectified(sumOf(upsampled));
    const { min, max } = rangeOf(sum);
    const flat = !(max > min);
    const data = Array.from(sum, (v) => (flat ? 0 : (v - min) / (max - min)));
    return { weights: alpha, data, flat };
  });
  return { probabilities: softmaxOf(imageLogits), constantChannels, scores, maps };
}

function alphaOf(
  weighting: Variant['weighting'],
  scores: readonly (number[] | undefined)[],
  c: number,
  imageLogits: readonly number[],
  baseline: readonly number[],
): number[] {
  if (weighting === 'probability' || weighting === 'increase') {
    const subtracted = weighting === 'increase' ? (baseline[c] as number) : 0;
    return scores.map((logits) => (logits ? (softmaxOf(logits)[c] as number) - subtracted : 0));
  }
  const subtracted = weighting === 'softmax-increase' ? (imageLogits[c] as number) : 0;
  const live = scores.map((logits) => (logits ? (logits[c] as number) - subtracted : undefined));
  const over = softmaxOf(live.filter((value) => value !== undefined));
  let row = 0;
  return live.map((value) => (value === undefined ? 0 : (over[row++] as number)));
}
