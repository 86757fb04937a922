import { baselineInput } from './baseline';
import { channelsOf } from './channels';
import type { Evidence, LayerEvidence } from './evidence';
import { type Forward, softmaxRows, type Target } from './forward';
import type { normalise, Pixels } from './image';
import { maskedScores } from './masked-scores';
import type { Choice } from './methods';
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
  readonly channelScores: ChannelScores;
}

/**
 * Score-CAM (Wang et al. 2020, Algorithm 1): a masked pass for every channel of the target layers whose
 * mask is not constant, and one of the baseline where the weighting compares with it. The scores are good
 * for every class.
 */
export async function scoreCam(forward: Forward, options: ScoreCamOptions): Promise<Evidence> {
  const { choice } = options;
  const weighting = choice.weighting as Weighting;
  const { weigh, needsBaseline, relu } = weightings[weighting];
  const baseline = needsBaseline ? await baselineScores(forward, options) : new Float32Array(0);
  const wanted = forward.targets.map((target) => channelsOf(target, choice));
  const total = wanted.reduce((sum, channels) => sum + channels.length, 0);
  const meter = progressMeter('masks', options.onProgress);
  const scored: Scored[] = [];
  let before = 0;
  for (const [i, target] of forward.targets.entries()) {
    const channels = wanted[i] as Uint32Array<ArrayBuffer>;
    const onMasks = (done: number): void => meter(before + done, total);
    scored.push(await scoreLayer(forward, target, channels, baseline, { ...options, onMasks }));
    before += channels.length;
  }
  // The rectified sum of maps at their own resolution is a map like any other, resized as images are.
  const rule = { relu, alignCorners: relu === 'after' && choice.alignCorners };
  return {
    rule,
    passes: { forward: total + Number(needsBaseline), backward: 0, head: 0 },
    ofClass: async (index) =>
      scored.map(({ channelScores, ...layer }) => {
        const weights = new Float32Array(layer.maps.count);
        weigh(channelScores, index).forEach((value, row) => {
          weights[channelScores.channels[row] as number] = value;
        });
        return { ...layer, weights, alpha: weights };
      }),
  };
}

/** [classes] probabilities of the image without evidence. */
export async function baselineScores(
  { runner, arena }: Pick<Forward, 'runner' | 'arena'>,
  { choice, pixels, manifest }: ScoreCamOptions,
): Promise<Float32Array> {
  const input = baselineInput(choice.baseline, pixels, manifest) as Float32Array<ArrayBuffer>;
  const uploaded = arena.upload('baseline', input);
  const { logits } = await runner.forward(uploaded, arena);
  return softmaxRows(runner.gpu, logits, runner.network.labels.length);
}

async function scoreLayer(
  { runner, input, logits: imageLogits }: Forward,
  { name, maps, activations, ranges, constantChannels }: Target,
  channels: Uint32Array<ArrayBuffer>,
  baseline: Float32Array,
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
    channelScores: { channels, logits, probabilities, classes, imageLogits, baseline },
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
