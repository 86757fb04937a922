import { Arena } from '../../../gpu/arena';
import { once } from '../../../runtime/once';
import type { Masks } from '../../../runtime/runner';
import { type Evidence, type LayerEvidence, unmasked } from '../../evidence';
import type { Forward, Target } from '../../forward';
import { progressMeter } from '../../progress';
import { column } from '../column';
import { questionOf } from '../finer';
import type { RunOptions } from '../method';
import { channelsOf } from './channels';

/** `count` samples of the masks of one target layer from `first` on, sample by sample, in the caller's arena. */
export type Sampler = (
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
 * @param sample makes `samples` of them
 */
export async function sampledScoreCam(
  { runner, input, logits, targets }: Forward,
  options: RunOptions,
  samples: number,
  sample: Sampler,
): Promise<Evidence> {
  const { choice, finished, memoryBudget, signal } = options;
  const classes = runner.network.labels.length;
  const wanted = targets.map((target) => channelsOf(target, choice));
  const total = samples * wanted.reduce((sum, channels) => sum + channels.length, 0);
  const meter = progressMeter('masks', options.onProgress);
  let before = 0;
  const scored: Scored[] = [];
  for (const [i, target] of targets.entries()) {
    const channels = wanted[i] as Uint32Array<ArrayBuffer>;
    let mean = new Float64Array(channels.length * classes);
    const block = samplesAtOnce(target.maps, channels.length, memoryBudget);
    for (let first = 0; first < samples && channels.length > 0; first += block) {
      const count = Math.min(block, samples - first);
      const arena = new Arena(runner.gpu);
      try {
        // Also of passes that are through: the noise of the next masks follows on that of these.
        const masks = await sample(target, channels, first, count, arena);
        const done = before;
        const onPasses = (masked: number): void => meter(done + masked, total);
        const validate = choice.validate && first === 0;
        const run = { finished, validate, memoryBudget: 0.75 * memoryBudget, signal, onPasses };
        mean = await once(finished, async () => {
          const { probabilities } = await runner.maskedScores(input, masks, run);
          probabilities.forEach((p, j) => {
            mean[j % mean.length] = (mean[j % mean.length] as number) + p / samples;
          });
          return mean;
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
    ofClass: async (classIndex) => {
      const asked = await questionOf(classIndex, logits, choice);
      return scored.map(({ evaluated, mean, ...layer }) => {
        const weights = new Float32Array(layer.maps.count);
        column(Float32Array.from(mean), classes, asked).forEach((value, row) => {
          weights[evaluated[row] as number] = value;
        });
        return { ...layer, weights, alpha: weights };
      });
    },
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
