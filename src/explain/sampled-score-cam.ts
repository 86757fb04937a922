import { Arena } from '../gpu/arena';
import { mapRanges } from '../kernels/maps/map_ranges';
import type { Masks, Runner } from '../runtime/runner';
import { channelsOf } from './channels';
import { column } from './column';
import type { Evidence, LayerEvidence } from './evidence';
import type { Forward, Target } from './forward';
import { unmasked } from './gradients';
import type { Choice } from './methods';
import { progressMeter } from './progress';
import { gaussian } from './random';
import type { ScoreCamOptions } from './score-cam';

/** `count` samples of the masks of one target layer from `first` on, sample by sample, in the caller's arena. */
type Sampler = (
  target: Target,
  channels: Uint32Array<ArrayBuffer>,
  first: number,
  count: number,
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
    const block = samplesAtOnce(target.maps, channels.length, memoryBudget);
    for (let first = 0; first < samples && channels.length > 0; first += block) {
      const count = Math.min(block, samples - first);
      const arena = new Arena(runner.gpu);
      try {
        const masks = await sample(target, channels, first, count, arena);
        const done = before;
        const onPasses = (masked: number): void => meter(done + masked, total);
        const run = { memoryBudget: 0.75 * memoryBudget, signal, onPasses };
        const { probabilities } = await runner.maskedScores(input, masks, run);
        probabilities.forEach((p, j) => {
          mean[j % mean.length] = (mean[j % mean.length] as number) + p / samples;
        });
      } finally {
        arena.dispose();
      }
      before += count * channels.length;
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

/** Maps that are at hand at once, so that neither a buffer nor a dispatch over them becomes too large. */
const MOST_BYTES = 64 * 1024 * 1024;
const MOST_MAPS = 16384;

/** How many samples of all masks are run at once: their maps take at most a quarter of the memory budget. */
export function samplesAtOnce(
  { height, width }: { readonly height: number; readonly width: number },
  channels: number,
  memoryBudget: number,
): number {
  const bytes = Math.min(MOST_BYTES, memoryBudget / 4);
  const maps = Math.min(MOST_MAPS, bytes / (4 * height * width));
  return Math.max(1, Math.floor(maps / Math.max(1, channels)));
}

/** Every map with noise of its own, sigma times as wide as the map's range, anew for each sample. */
function noisyMasks({ gpu, network }: Runner, { sigma, seed }: Choice): Sampler {
  const next = gaussian(seed as number);
  return async ({ maps, ranges }, channels, _, count, arena) => {
    const { height, width } = maps;
    const pixels = height * width;
    const limits = await gpu.read(ranges.buffer, 2 * maps.count);
    const rows = count * channels.length;
    const data = new Float32Array(rows * pixels);
    for (let row = 0; row < rows; row++) {
      const k = channels[row % channels.length] as number;
      const range = (limits[2 * k + 1] as number) - (limits[2 * k] as number);
      for (let i = 0; i < pixels; i++) {
        const value = maps.data[k * pixels + i] as number;
        data[row * pixels + i] = value + (sigma as number) * range * next();
      }
    }
    const noisy = arena.upload('noisy maps', data);
    const own = arena.take('ranges of noisy maps', 8 * rows);
    await gpu.submit('ranges of noisy maps', [
      mapRanges({
        label: 'noisy maps',
        maps: noisy,
        count: rows,
        mapHeight: height,
        mapWidth: width,
        height: network.input.height,
        width: network.input.width,
        alignCorners: false,
        ranges: own,
      }),
    ]);
    return {
      maps: noisy,
      height,
      width,
      ranges: own,
      channels: Uint32Array.from(Array(rows).keys()),
      alignCorners: false,
    };
  };
}

/**
 * Mask i of n is i / n times the normalised map: that is the map normalised by a range n / i times as wide,
 * so it takes no kernel of its own.
 */
function scaledMasks({ gpu }: Runner, steps: number): Sampler {
  return async ({ maps, ranges }, channels, first, count, arena) => {
    const { height, width } = maps;
    const pixels = height * width;
    const limits = await gpu.read(ranges.buffer, 2 * maps.count);
    const rows = count * channels.length;
    const data = new Float32Array(rows * pixels);
    const wider = new Float32Array(2 * rows);
    for (let row = 0; row < rows; row++) {
      const k = channels[row % channels.length] as number;
      const step = first + Math.floor(row / channels.length) + 1;
      const min = limits[2 * k] as number;
      const max = limits[2 * k + 1] as number;
      data.set(maps.data.subarray(k * pixels, (k + 1) * pixels), row * pixels);
      wider.set([min, min + ((max - min) * steps) / step], 2 * row);
    }
    return {
      maps: arena.upload('repeated maps', data),
      height,
      width,
      ranges: arena.upload('wider ranges', wider),
      channels: Uint32Array.from(Array(rows).keys()),
      alignCorners: false,
    };
  };
}
