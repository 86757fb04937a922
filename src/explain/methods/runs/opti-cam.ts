import { Arena } from '../../../gpu/arena';
import type { Dispatch, Slice } from '../../../gpu/kernel';
import { applyMask } from '../../../kernels/inputs/apply_mask';
import { softmax } from '../../../kernels/layers/softmax';
import { adam } from '../../../kernels/maps/adam';
import { mapProducts } from '../../../kernels/maps/map_products';
import { mapRanges } from '../../../kernels/maps/map_ranges';
import { maskBackward } from '../../../kernels/maps/mask_backward';
import { normaliseMap } from '../../../kernels/maps/normalise_map';
import { upsample } from '../../../kernels/maps/upsample';
import { upsampleBackward } from '../../../kernels/maps/upsample_backward';
import { weightedSum } from '../../../kernels/maps/weighted_sum';
import { checkFinite } from '../../../numbers/finite';
import { recordDifferentiated } from '../../../runtime/differentiated';
import type { Runner } from '../../../runtime/runner';
import { type Evidence, type LayerEvidence, unmasked } from '../../evidence';
import type { Forward, Target } from '../../forward';
import { progressMeter } from '../../progress';
import type { ActivationMaps } from '../../saliency';
import { questionOf } from '../finer';
import type { RunOptions } from '../method';
import type { Question } from '../question';

/** Of Adam, as the authors' code has it. */
const RATE = 0.1;

/**
 * Opti-CAM (Zhang et al. 2024): the map is S(u) = sum_k softmax(u)_k A_k; u is what makes the logit of X o n(up(S(u))) largest,
 * n the min-max normalisation, from 0 by `steps` steps of Adam. Nothing is read back before the last.
 */
export async function optiCam(forward: Forward, options: RunOptions): Promise<Evidence> {
  const { runner, logits, input, targets } = forward;
  const { choice, signal, onProgress } = options;
  const { gpu } = runner;
  const steps = choice.steps as number;
  const own = targets.map(({ name, maps, constantChannels }) => ({ name, maps, constantChannels }));
  const [values] = await gpu.compute('image', [], [input]);
  const image = values as Float32Array<ArrayBuffer>;
  const total = own.length * steps;
  return {
    rule: { relu: 'before', alignCorners: false },
    passes: { forward: 0, backward: 0, head: 0 },
    passesOfClass: { forward: total, backward: total, head: 0 },
    ofClass: async (classIndex) => {
      const question = await questionOf(classIndex, logits, choice);
      const meter = progressMeter('masks', onProgress);
      const layers: LayerEvidence[] = [];
      for (const [i, target] of own.entries()) {
        const onStep = (done: number): void => {
          signal?.throwIfAborted();
          meter(i * steps + done, total);
        };
        const weights = new Float32Array(target.maps.count);
        const { channels, maps } = telling(target);
        if (channels.length > 0) {
          const found = await optimised(runner, image, maps, question, steps, onStep);
          channels.forEach((k, row) => {
            weights[k] = found[row] as number;
          });
        }
        checkFinite(weights, `The weights of ${target.name}`);
        layers.push({ ...unmasked(target), maps: target.maps, alpha: weights, weights });
      }
      return layers;
    },
  };
}

/**
 * The maps that are not constant: the others change nothing in a sum that is normalised, so they have no slope but rounding,
 * of which Adam would make steps as large as any.
 */
function telling({ maps, constantChannels }: Pick<Target, 'maps' | 'constantChannels'>) {
  const { count, height, width } = maps;
  const constant = new Set(constantChannels);
  const channels = Array.from({ length: count }, (_, k) => k).filter((k) => !constant.has(k));
  const data = new Float32Array(channels.length * height * width);
  channels.forEach((k, row) => {
    const map = maps.data.subarray(k * height * width, (k + 1) * height * width);
    data.set(map, row * height * width);
  });
  return { channels, maps: { ...maps, count: channels.length, data } };
}

/** [count] weights of the maps, softmax(u), after so many steps. */
async function optimised(
  runner: Runner,
  image: Float32Array<ArrayBuffer>,
  { data, count, height: mapHeight, width: mapWidth }: ActivationMaps,
  question: Question,
  steps: number,
  onStep: (done: number) => void,
): Promise<Float32Array> {
  const { gpu, network } = runner;
  const { channels, height, width } = network.input;
  const pixels = height * width;
  const label = 'Opti-CAM';
  const arena = new Arena(gpu);
  try {
    const maps = arena.upload('activation maps', data as Float32Array<ArrayBuffer>);
    const whole = arena.upload('image', image);
    const values = arena.upload('u', new Float32Array(count));
    const moments = new Float32Array(2 * count + 2);
    // The powers of the decays so far.
    moments.fill(1, 2 * count);
    const state = arena.upload("Adam's state", moments);
    const take = (name: string, floats: number): Slice => arena.take(name, 4 * floats);
    const weights = take('softmax of u', count);
    const sum = take('weighted sum', mapHeight * mapWidth);
    const full = take('upsampled sum', pixels);
    const range = take('its range', 2);
    const mask = take('mask', pixels);
    const ofFull = take('gradient of the upsampled sum', pixels);
    const ofSum = take('gradient of the weighted sum', mapHeight * mapWidth);
    const ofWeights = take('gradient of the weights', count);
    const masked = take('masked image', channels * pixels);
    const weigh = softmax({
      label,
      rows: 1,
      classes: count,
      logits: values,
      probabilities: weights,
    });
    const low = { mapHeight, mapWidth };
    const size = { ...low, height, width, alignCorners: false };
    const same = { mapHeight: height, mapWidth: width, height, width, alignCorners: false };
    const score = { question, of: 'logit' } as const;
    const back = await recordDifferentiated(runner, masked, arena, score);
    const step: readonly Dispatch[] = [
      weigh,
      weightedSum({ label, ...low, count, maps, weights, output: sum }),
      upsample({ label, ...size, count: 1, relu: false, input: sum, output: full }),
      mapRanges({ label, ...same, count: 1, maps: full, ranges: range }),
      normaliseMap({ label, count: pixels, range, input: full, output: mask }),
      applyMask({
        label,
        batch: 1,
        channels,
        height,
        width,
        image: whole,
        masks: mask,
        output: masked,
      }),
      ...back.dispatches,
      maskBackward({
        label,
        channels,
        pixels,
        gradient: back.gradient,
        image: whole,
        full,
        mask,
        range,
        result: ofFull,
      }),
      upsampleBackward({ label, ...size, gradient: ofFull, result: ofSum }),
      mapProducts({
        label,
        count,
        pixels: mapHeight * mapWidth,
        gradient: ofSum,
        maps,
        result: ofWeights,
      }),
      adam({ label, count, rate: RATE, weights, gradient: ofWeights, state, values }),
    ];
    for (let done = 1; done <= steps; done++) {
      await gpu.submit(label, step);
      onStep(done);
    }
    const [found] = await gpu.compute('weights', [weigh], [weights]);
    return found as Float32Array;
  } finally {
    arena.dispose();
  }
}
