import { checkFinite } from '../numbers/finite';
import { gradients, readTape, type Score } from '../runtime/backward';
import type { Evidence, LayerEvidence } from './evidence';
import type { Forward, Target } from './forward';
import type { Choice } from './methods';
import type { ActivationMaps } from './saliency';
import type { GradientOf } from './types';

export type GradientMethod = 'grad-cam' | 'grad-cam++' | 'hires-cam' | 'layer-cam';

/** The summed maps, their factors, and the factors as reported: one a channel, or none. */
type Weighed = Pick<LayerEvidence, 'maps' | 'alpha' | 'weights'>;

/** Keeps Grad-CAM++'s quotient finite where a gradient is tiny; pytorch-grad-cam's value. */
const PLUS_PLUS_EPSILON = 1e-6;

/** How each method weighs the maps A_k, given the gradient g_k = dy/dA_k of the class's score y. */
const RULES: Readonly<
  Record<GradientMethod, (maps: ActivationMaps, gradient: Float32Array) => Weighed>
> = {
  /** alpha_k = mean over pixels of g_k (Selvaraju et al. 2017, Eq. 1). */
  'grad-cam': (maps, gradient) => {
    const alpha = meanGradients(maps, gradient);
    return { maps, alpha, weights: alpha };
  },
  /**
   * alpha_k = sum over pixels of a ReLU(g_k), a = g_k^2 / (2 g_k^2 + (sum A_k) g_k^3) (Chattopadhay et al. 2018,
   * Eq. 19, with the exponential of the score as there), with an epsilon in the denominator.
   */
  'grad-cam++': (maps, gradient) =>
    byChannel(maps, (from, to) => {
      let activity = 0;
      for (let i = from; i < to; i++) activity += maps.data[i] as number;
      let sum = 0;
      for (let i = from; i < to; i++) {
        const g = gradient[i] as number;
        if (g > 0) sum += (g * g ** 2) / (2 * g ** 2 + activity * g ** 3 + PLUS_PLUS_EPSILON);
      }
      return sum;
    }),
  /** sum over k of g_k A_k, pixel by pixel (HiResCAM, Draelos and Carin 2020). */
  'hires-cam': (maps, gradient) => byPixel(maps, gradient, (g) => g),
  /** sum over k of ReLU(g_k) A_k, pixel by pixel (LayerCAM, Jiang et al. 2021). */
  'layer-cam': (maps, gradient) => byPixel(maps, gradient, (g) => Math.max(g, 0)),
};

/** [count] mean over its pixels of each map's gradient. */
export function meanGradients(maps: ActivationMaps, gradient: Float32Array): Float32Array {
  return alphas(maps, (from, to) => {
    let sum = 0;
    for (let i = from; i < to; i++) sum += gradient[i] as number;
    return sum / (to - from);
  });
}

function alphas(maps: ActivationMaps, weigh: (from: number, to: number) => number): Float32Array {
  const pixels = maps.height * maps.width;
  return Float32Array.from({ length: maps.count }, (_, k) => weigh(k * pixels, (k + 1) * pixels));
}

function byChannel(maps: ActivationMaps, weigh: (from: number, to: number) => number): Weighed {
  const alpha = alphas(maps, weigh);
  return { maps, alpha, weights: alpha };
}

/** One map, summed up already. */
function byPixel(
  maps: ActivationMaps,
  gradient: Float32Array,
  factor: (g: number) => number,
): Weighed {
  const pixels = maps.height * maps.width;
  const sums = new Float64Array(pixels);
  maps.data.forEach((value, i) => {
    sums[i % pixels] = (sums[i % pixels] as number) + factor(gradient[i] as number) * value;
  });
  return {
    maps: { ...maps, count: 1, data: Float32Array.from(sums) },
    alpha: Float32Array.of(1),
    weights: new Float32Array(0),
  };
}

/**
 * The gradient methods: each class costs one backward pass, from what the forward pass kept, which is in
 * page memory from here on. Maps are rectified, then resized, as in the papers and pytorch-grad-cam.
 * @throws ScoreCamError `not-finite` if a gradient overflows.
 */
export async function gradientEvidence(
  { runner, logits, kept, targets }: Forward,
  { method, layers, of }: Choice,
): Promise<Evidence> {
  const tape = await readTape(runner, logits, kept, layers);
  const weigh = RULES[method as GradientMethod];
  const own = targets.map(({ name, maps, constantChannels }) => ({ name, maps, constantChannels }));
  return {
    rule: { relu: 'before', alignCorners: false },
    passes: { forward: 0, backward: 0, head: 0 },
    passesOfClass: { forward: 0, backward: 1, head: 0 },
    ofClass: async (classIndex) => {
      const score: Score = { classIndex, of: of as GradientOf };
      const found = await gradients(runner, tape, layers, score);
      return own.map((target) => {
        const gradient = found.get(target.name) as Float32Array;
        checkFinite(gradient, `The gradients at ${target.name}`);
        const weighed = weigh(target.maps, gradient);
        checkFinite(weighed.alpha, `The weights of ${target.name}`);
        return { ...unmasked(target), ...weighed };
      });
    },
  };
}

/** What methods without masked passes report of a layer besides its weights. */
export function unmasked({
  name,
  maps,
  constantChannels,
}: Pick<Target, 'name' | 'maps' | 'constantChannels'>): Omit<
  LayerEvidence,
  'maps' | 'alpha' | 'weights'
> {
  return {
    layer: name,
    channels: { total: maps.count, constant: constantChannels.length, evaluated: 0 },
    constantChannels,
    scores: new Float32Array(0),
  };
}
