import { mapRanges } from '../kernels/map_ranges';
import { Arena } from '../runtime/arena';
import type { Masks, Runner } from '../runtime/runner';
import { channelsOf } from './channels';
import { column } from './column';
import type { Evidence, LayerEvidence } from './evidence';
import type { Forward, Target } from './forward';
import { unmasked } from './gradients';
import { maskedScores } from './masked-scores';
import type { Choice } from './methods';
import { progressMeter } from './progress';
import { gaussian } from './random';
import type { ScoreCamOptions } from './score-cam';

/** Sample `index` of the masks of one target layer, in the caller's arena. */
type Sampler = (
  target: Target,
  channels: Uint32Array<ArrayBuffer>,
  index: number,
  arena: Arena,
) => Promise<Masks>;

/** A layer's mean probabilities, [evaluated.length, classes]. */
interface Scored extends Omit<LayerEvidence, 'weights' | 'alpha'> {
  readonly evaluated: Uint32Array;
  readonly mean: Float64Array;
}

/**
 * Score-CAM with several masks a map: alpha_k is the mean of p_c(X o H) over the masks H made from map k.
 * SS-CAM draws them, IS-CAM integrates over them.
 */
export async function sampledScoreCam(
  forward: Forward,
  options: ScoreCamOptions,
): Promise<Evidence> {
  const { runner, input, targets } = forward;
  const { choice, memoryBudget, signal } = options;
  const samples = (choice.method === 'ss-cam' ? choice.samples : choice.steps) as number;
  const sample =
    choice.method === 'ss-cam' ? noisyMasks(runner, choice) : scaledMasks(runner, samples);
  const classes = runner.network.labels.length;
  const wanted = targets.map((target) => channelsOf(target, choice));
  const total = samples * wanted.reduce((sum, channels) => sum + channels.length, 0);
  const meter = progressMeter('masks', options.onProgress);
  let before = 0;
  const scored: Scored[] = [];
  for (const [i, target] of targets.entries()) {
    const channels = wanted[i] as Uint32Array<ArrayBuffer>;
    const mean = new Float64Array(channels.length * classes);
    for (let index = 0; index < samples && channels.length > 0; index++) {
      const arena = new Arena(runner.gpu);
      try {
        const masks = await sample(target, channels, index, arena);
        const done = before;
        const onMasks = (masked: number): void => meter(done + masked, total);
        const run = { memoryBudget, signal, onMasks };
        const { probabilities } = await maskedScores(runner, input, masks, run);
        probabilities.forEach((p, j) => {
          mean[j] = (mean[j] as number) + p / samples;
        });
      } finally {
        arena.dispose();
      }
      before += channels.length;
    }
    const { name, maps, constantChannels } = target;
    const layer = unmasked({ name, maps, constantChannels });
    const counts = { ...layer.channels, evaluated: channels.length };
    scored.push({ ...layer, maps, channels: counts, evaluated: channels, mean });
  }
  return {
    rule: { relu: 'after', alignCorners: false },
    passes: { forward: total, backward: 0, head: 0 },
    ofClass: async (classIndex) =>
      scored.map(({ evaluated, mean, ...layer }) => {
        const weights = new Float32Array(layer.maps.count);
        column(Float32Array.from(mean), classes, classIndex).forEach((value, row) => {
          weights[evaluated[row] as number] = value;
        });
        return { ...layer, weights, alpha: weights };
      }),
  };
}

/** Every map with noise of its own, sigma times as wide as the map's range, anew for each sample. */
function noisyMasks({ gpu, network }: Runner, { sigma, seed }: Choice): Sampler {
  const next = gaussian(seed as number);
  return async ({ maps, ranges }, channels, _, arena) => {
    const { height, width } = maps;
    const pixels = height * width;
    const limits = await gpu.read(ranges.buffer, 2 * maps.count);
    const data = new Float32Array(channels.length * pixels);
    channels.forEach((k, row) => {
      const range = (limits[2 * k + 1] as number) - (limits[2 * k] as number);
      for (let i = 0; i < pixels; i++) {
        const value = maps.data[k * pixels + i] as number;
        data[row * pixels + i] = value + (sigma as number) * range * next();
      }
    });
    const noisy = arena.upload('noisy maps', data);
    const own = arena.take('ranges of noisy maps', 8 * channels.length);
    await gpu.submit('ranges of noisy maps', [
      mapRanges({
        label: 'noisy maps',
        maps: noisy,
        count: channels.length,
        mapHeight: height,
        mapWidth: width,
        height: network.input.height,
        width: network.input.width,
        alignCorners: false,
        ranges: own,
      }),
    ]);
    const all = Uint32Array.from(channels.keys());
    return { maps: noisy, height, width, ranges: own, channels: all, alignCorners: false };
  };
}

/**
 * Mask i of n is i / n times the normalised map: that is the map normalised by a range n / i times as wide,
 * so it takes no kernel of its own.
 */
function scaledMasks({ gpu }: Runner, steps: number): Sampler {
  return async ({ maps, activations, ranges }, channels, index, arena) => {
    const limits = await gpu.read(ranges.buffer, 2 * maps.count);
    const wider = limits.map((value, i) => {
      const min = limits[i - (i % 2)] as number;
      return i % 2 === 0 ? value : min + ((value - min) * steps) / (index + 1);
    });
    return {
      maps: activations,
      height: maps.height,
      width: maps.width,
      ranges: arena.upload('wider ranges', wider),
      channels,
      alignCorners: false,
    };
  };
}
