import { ScoreCamError } from '../../../errors';
import type { Runner } from '../../../runtime/runner';
import type { Evidence, LayerEvidence } from '../../evidence';
import type { Forward, Target } from '../../forward';
import { oneOf } from '../../one-of';
import { progressMeter } from '../../progress';
import type { RunOptions } from '../method';
import type { Weighting } from '../options';
import { type ChannelScores, weightings } from '../weightings';
import { channelsOf, rankedChannels } from './channels';
import { baselineScores, maskedScores, type Scores, scoresOf } from './masked-scores';

/** The masked scores of one target layer. */
interface Scored extends Omit<LayerEvidence, 'alpha' | 'weights'> {
  readonly channelScores: Omit<ChannelScores, 'baseline'>;
}

/**
 * Score-CAM (Wang et al. 2020, Algorithm 1): a masked pass for every channel of the target layers whose
 * mask is not constant, and one of the baseline where the weighting compares with it. The scores are good
 * for every class.
 */
export async function scoreCam(forward: Forward, options: RunOptions): Promise<Evidence> {
  const { runner, targets } = forward;
  const { choice } = options;
  const { needsBaseline } = weightings[choice.weighting as Weighting];
  const baseline = needsBaseline ? await baselineScores(runner, options) : undefined;
  const wanted = targets.map((target) => channelsOf(target, choice));
  const total = wanted.reduce((sum, channels) => sum + channels.length, 0);
  const meter = progressMeter('masks', options.onProgress);
  const scored: Scored[] = [];
  let before = 0;
  for (const [i, target] of targets.entries()) {
    const channels = wanted[i] as Uint32Array<ArrayBuffer>;
    const onMasks = (done: number): void => meter(before + done, total);
    const { onEvidence } = options;
    const passed = before + Number(needsBaseline);
    const onScored = async (partial: Scored): Promise<void> => {
      const passes = passed + partial.channels.evaluated;
      await onEvidence?.(weighed(runner, [...scored, partial], baseline, options, passes));
    };
    const hearing = onEvidence ? { onScored } : {};
    scored.push(await scoreLayer(forward, target, channels, { ...options, onMasks, ...hearing }));
    before += channels.length;
  }
  return weighed(runner, scored, baseline, options, total + Number(needsBaseline));
}

/** Masked scores under a weighting: evidence for every class, and for every weighting of the same masks. */
function weighed(
  runner: Runner,
  scored: readonly Scored[],
  baseline: Float32Array | undefined,
  options: RunOptions,
  forward: number,
): Evidence {
  const { choice } = options;
  const { weigh, relu, normaliseFirst } = weightings[choice.weighting as Weighting];
  return {
    // The rectified sum of maps at their own resolution is a map like any other, resized as images are.
    rule: { relu, alignCorners: relu === 'after' && choice.alignCorners },
    passes: { forward, backward: 0, head: 0 },
    ofClass: async (index) =>
      scored.map(({ channelScores, ...layer }) => {
        const weights = new Float32Array(layer.maps.count);
        const scores = { ...channelScores, baseline: baseline ?? new Float32Array(0) };
        weigh(scores, index).forEach((value, row) => {
          weights[channelScores.channels[row] as number] = value;
        });
        return { ...layer, weights, alpha: weights };
      }),
    reweighed: async (weighting) => {
      const other =
        weightings[oneOf('weighting', weighting, Object.keys(weightings) as Weighting[])];
      if (other.normaliseFirst !== normaliseFirst || other.alignCorners !== choice.alignCorners) {
        throw new ScoreCamError(
          'option',
          `The weighting "${weighting}" needs other masks than "${choice.weighting}": explain the image anew.`,
        );
      }
      const missing = other.needsBaseline && !baseline;
      const own = missing ? await baselineScores(runner, options) : baseline;
      const again = { ...options, choice: { ...choice, weighting } };
      return weighed(runner, scored, own, again, Number(missing));
    },
  };
}

async function scoreLayer(
  { runner, input, logits: imageLogits }: Forward,
  { name, maps, activations, ranges, constantChannels }: Target,
  channels: Uint32Array<ArrayBuffer>,
  options: RunOptions & {
    readonly onMasks: (done: number) => void;
    readonly onScored?: (scored: Scored) => Promise<void>;
  },
): Promise<Scored> {
  const { choice, memoryBudget, signal, onMasks, onScored } = options;
  const classes = runner.network.labels.length;
  const masks = {
    maps: activations,
    height: maps.height,
    width: maps.width,
    ranges,
    // What comes first is heard of first.
    channels: onScored ? rankedChannels(maps, channels) : channels,
    alignCorners: choice.alignCorners,
  };
  const scored = (rows: Uint32Array, { logits, probabilities }: Scores): Scored => ({
    layer: name,
    maps,
    channels: {
      total: maps.count,
      constant: constantChannels.length,
      evaluated: rows.length,
    },
    constantChannels,
    scores: spread(logits, rows, maps.count, classes),
    channelScores: { channels: rows, logits, probabilities, classes, imageLogits },
  });
  const soFar = new Map<number, Float32Array>();
  const onScores = async (positions: Uint32Array, logits: Float32Array): Promise<void> => {
    positions.forEach((position, row) => {
      const channel = masks.channels[position] as number;
      soFar.set(channel, logits.subarray(row * classes, (row + 1) * classes));
    });
    // The last of them is the result.
    if (soFar.size === channels.length) return;
    const done = Uint32Array.from(soFar.keys()).sort();
    const together = new Float32Array(done.length * classes);
    done.forEach((channel, row) => {
      together.set(soFar.get(channel) as Float32Array, row * classes);
    });
    await onScored?.(scored(done, await scoresOf(runner, together)));
  };
  const run = { memoryBudget, signal, onMasks, ...(onScored ? { onScores } : {}) };
  const scores = await maskedScores(runner, input, masks, run);
  // Rows in the order of the channels, whatever order they were run in: sums come out the same, bit for bit.
  const rowOf = new Map([...masks.channels].map((channel, row) => [channel, row]));
  const rows = channels.map((channel) => rowOf.get(channel) as number);
  return scored(channels, {
    logits: gathered(scores.logits, rows, classes),
    probabilities: gathered(scores.probabilities, rows, classes),
  });
}

/** The named rows of [*, classes], one after another. */
function gathered(values: Float32Array, rows: Uint32Array, classes: number): Float32Array {
  const result = new Float32Array(rows.length * classes);
  rows.forEach((row, i) => {
    result.set(values.subarray(row * classes, (row + 1) * classes), i * classes);
  });
  return result;
}

/** Rows of the evaluated channels put where they belong among all channels; NaN elsewhere. */
function spread(
  rows: Float32Array,
  channels: Uint32Array,
  total: number,
  classes: number,
): Float32Array {
  const all = new Float32Array(total * classes).fill(Number.NaN);
  channels.forEach((channel, row) => {
    all.set(rows.subarray(row * classes, (row + 1) * classes), channel * classes);
  });
  return all;
}
