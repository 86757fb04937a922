import { ScoreCamError } from '../../../errors';
import type { Runner, Scores } from '../../../runtime/runner';
import type { Evidence, LayerEvidence } from '../../evidence';
import type { Forward, Target } from '../../forward';
import { progressMeter } from '../../progress';
import { questionOf } from '../finer';
import type { RunOptions } from '../method';
import type { Weighting } from '../options';
import { type ChannelScores, weightings } from '../weightings';
import { baselineScores } from './baseline-scores';
import { channelsOf, standardDeviations } from './channels';

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
    const onPasses = (done: number): void => meter(before + done, total);
    const { onEvidence } = options;
    const passed = before + Number(needsBaseline);
    const onScored = async (partial: Scored): Promise<void> => {
      const passes = passed + partial.channels.evaluated;
      await onEvidence?.(weighed(runner, [...scored, partial], baseline, options, passes));
    };
    const hearing = onEvidence ? { onScored } : {};
    scored.push(await scoreLayer(forward, target, channels, { ...options, onPasses, ...hearing }));
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
    ofClass: async (index) => {
      const { imageLogits } = (scored[0] as Scored).channelScores;
      const asked = await questionOf(index, imageLogits, choice);
      return scored.map(({ channelScores, ...layer }) => {
        const weights = new Float32Array(layer.maps.count);
        const scores = { ...channelScores, baseline: baseline ?? new Float32Array(0) };
        weigh(scores, asked).forEach((value, row) => {
          weights[channelScores.channels[row] as number] = value;
        });
        return { ...layer, weights, alpha: weights };
      });
    },
    reweighed: async (weighting) => {
      const other = weightings[weighting];
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
    readonly onPasses: (done: number) => void;
    readonly onScored?: (scored: Scored) => Promise<void>;
  },
): Promise<Scored> {
  const { choice, finished, memoryBudget, signal, onPasses, onScored } = options;
  const classes = runner.network.labels.length;
  const masks = {
    maps: activations,
    height: maps.height,
    width: maps.width,
    ranges,
    channels,
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
  // Rows of what has come so far, by place among the channels.
  const soFar = new Map<number, Scores>();
  const onScores = async (positions: Uint32Array, scores: Scores): Promise<void> => {
    positions.forEach((position, row) => {
      soFar.set(position, rowOf(scores, row, classes));
    });
    // The last of them is the result.
    if (soFar.size === channels.length) return;
    const done = [...soFar.keys()].sort((a, b) => a - b);
    const rows = Uint32Array.from(done, (position) => channels[position] as number);
    await onScored?.(scored(rows, together(done.map((position) => soFar.get(position) as Scores))));
  };
  // The most telling maps are heard of first.
  const deviations = onScored && standardDeviations(maps);
  const priority = deviations && Array.from(channels, (k) => deviations[k] as number);
  const hearing = onScored ? { onScores, priority } : {};
  const { validate } = choice;
  const run = { finished, validate, memoryBudget, signal, onPasses, ...hearing };
  return scored(channels, await runner.maskedScores(input, masks, run));
}

function rowOf({ logits, probabilities }: Scores, row: number, classes: number): Scores {
  const [from, to] = [row * classes, (row + 1) * classes];
  return { logits: logits.slice(from, to), probabilities: probabilities.slice(from, to) };
}

/** Rows one after another. */
function together(rows: readonly Scores[]): Scores {
  const joined = (of: (row: Scores) => Float32Array): Float32Array<ArrayBuffer> =>
    Float32Array.from(rows.flatMap((row) => [...of(row)]));
  return {
    logits: joined(({ logits }) => logits),
    probabilities: joined(({ probabilities }) => probabilities),
  };
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
