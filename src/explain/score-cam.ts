import { ScoreCamError } from '../errors';
import { Arena } from '../runtime/arena';
import type { Runner } from '../runtime/runner';
import { baselineInput } from './baseline';
import { channelsOf } from './channels';
import type { Evidence, LayerEvidence } from './evidence';
import { type Forward, softmaxRows, type Target } from './forward';
import type { normalise, Pixels } from './image';
import { maskedScores } from './masked-scores';
import { type Choice, oneOf } from './methods';
import { progressMeter } from './progress';
import type { Callbacks, Weighting } from './types';
import { type ChannelScores, weightings } from './weightings';

export interface ScoreCamOptions extends Callbacks {
  readonly choice: Choice;
  readonly memoryBudget: number;
  readonly pixels: Pixels;
  readonly manifest: Parameters<typeof normalise>[1];
}

/** The masked scores of one target layer. */
interface Scored extends Omit<LayerEvidence, 'alpha' | 'weights'> {
  readonly channelScores: Omit<ChannelScores, 'baseline'>;
}

/**
 * Score-CAM (Wang et al. 2020, Algorithm 1): a masked pass for every channel of the target layers whose
 * mask is not constant, and one of the baseline where the weighting compares with it. The scores are good
 * for every class.
 */
export async function scoreCam(forward: Forward, options: ScoreCamOptions): Promise<Evidence> {
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
    scored.push(await scoreLayer(forward, target, channels, { ...options, onMasks }));
    before += channels.length;
  }
  return weighed(runner, scored, baseline, options, total + Number(needsBaseline));
}

/** Masked scores under a weighting: evidence for every class, and for every weighting of the same masks. */
function weighed(
  runner: Runner,
  scored: readonly Scored[],
  baseline: Float32Array | undefined,
  options: ScoreCamOptions,
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

/** [classes] probabilities of the image without evidence. */
export async function baselineScores(
  runner: Runner,
  { choice, pixels, manifest }: ScoreCamOptions,
): Promise<Float32Array> {
  const arena = new Arena(runner.gpu);
  try {
    const input = baselineInput(choice.baseline, pixels, manifest) as Float32Array<ArrayBuffer>;
    const { logits } = await runner.forward(arena.upload('baseline', input), arena);
    return await softmaxRows(runner.gpu, logits, runner.network.labels.length);
  } finally {
    arena.dispose();
  }
}

async function scoreLayer(
  { runner, input, logits: imageLogits }: Forward,
  { name, maps, activations, ranges, constantChannels }: Target,
  channels: Uint32Array<ArrayBuffer>,
  options: ScoreCamOptions & { readonly onMasks: (done: number) => void },
): Promise<Scored> {
  const { choice, memoryBudget, signal, onMasks } = options;
  const classes = runner.network.labels.length;
  const masks = {
    maps: activations,
    height: maps.height,
    width: maps.width,
    ranges,
    channels,
    alignCorners: choice.alignCorners,
  };
  const run = { memoryBudget, signal, onMasks };
  const { logits, probabilities } = await maskedScores(runner, input, masks, run);
  return {
    layer: name,
    maps,
    channels: {
      total: maps.count,
      constant: constantChannels.length,
      evaluated: channels.length,
    },
    constantChannels,
    scores: spread(logits, channels, maps.count, classes),
    channelScores: { channels, logits, probabilities, classes, imageLogits },
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
