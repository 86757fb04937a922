import { Arena } from '../../../gpu/arena';
import { gradients, readTape } from '../../../runtime/backward';
import { type Evidence, type LayerEvidence, unmasked } from '../../evidence';
import type { Forward } from '../../forward';
import { normalise } from '../../image';
import { progressMeter } from '../../progress';
import type { ActivationMaps } from '../../saliency';
import { column } from '../column';
import { questionOf } from '../finer';
import type { RunOptions } from '../method';
import { baselineScores } from './baseline-scores';
import { meanGradients } from './gradients';
import { scoreMaps } from './score-maps';

/**
 * Group-CAM (Zhang, Rao and Yang 2021) on zero: the maps, weighed by their mean gradient of the
 * logit and sorted by it, are summed up in `groups` groups; each rectified, normalised sum G is one mask, with
 * weight p_c(X o G) - p_c(X_b). The masks depend on the class.
 */
export async function groupCam(forward: Forward, options: RunOptions): Promise<Evidence> {
  const { runner, logits, kept, targets } = forward;
  const { choice, pixels, manifest } = options;
  const tape = await readTape(runner, logits, kept, choice.layers);
  const own = targets.map(({ name, maps, constantChannels }) => ({ name, maps, constantChannels }));
  const baseline = await baselineScores(runner, options);
  const groups = choice.groups as number;
  const most = own.reduce((sum, { maps }) => sum + Math.min(groups, maps.count), 0);
  return {
    rule: { relu: 'after', alignCorners: false },
    passes: { forward: 1, backward: 0, head: 0 },
    passesOfClass: { forward: most, backward: 1, head: 0 },
    ofClass: async (classIndex, finished) => {
      const question = await questionOf(classIndex, logits, choice);
      const score = { question, of: 'logit' } as const;
      const found = await gradients(runner, tape, choice.layers, score);
      const meter = progressMeter('masks', options.onProgress);
      const arena = new Arena(runner.gpu);
      const layers: LayerEvidence[] = [];
      let before = 0;
      try {
        const image = arena.upload('image', normalise(pixels, manifest));
        for (const target of own) {
          const gradient = found.get(target.name) as Float32Array;
          const { weights } = meanGradients(target.maps, gradient);
          const maps = groupMaps(target.maps, weights, groups);
          const done = before;
          const onPasses = (masked: number): void => meter(done + masked, most);
          const { probabilities } = await scoreMaps(runner, arena, image, maps, {
            ...options,
            finished,
            onPasses,
          });
          before += maps.count;
          const classes = baseline.length;
          const without = column(baseline, classes, question)[0] as number;
          const alpha = Float32Array.from(
            column(probabilities, classes, question),
            (p) => p - without,
          );
          const layer = unmasked(target);
          const channels = { ...layer.channels, evaluated: target.maps.count };
          layers.push({ ...layer, channels, maps, alpha, weights });
        }
      } finally {
        arena.dispose();
      }
      return layers;
    },
  };
}

/**
 * The groups' rectified sums, each min-max normalised; groups without contrast are left out. If none has any, a map of
 * zeros stands for them all.
 */
export function groupMaps(
  maps: ActivationMaps,
  weights: Float32Array,
  groups: number,
): ActivationMaps {
  const { count, height, width } = maps;
  const pixels = height * width;
  const weight = (k: number): number => weights[k] as number;
  const sorted = Array.from(weights.keys()).sort((a, b) => weight(b) - weight(a) || a - b);
  const number = Math.min(groups, count);
  const sums: Float32Array[] = [];
  for (let g = 0; g < number; g++) {
    const members = sorted.slice(
      Math.floor((g * count) / number),
      Math.floor(((g + 1) * count) / number),
    );
    const sum = Float64Array.from({ length: pixels }, (_, i) => {
      const value = members.reduce(
        (total, k) => total + weight(k) * (maps.data[k * pixels + i] as number),
        0,
      );
      return Math.max(value, 0);
    });
    const min = sum.reduce((a, b) => Math.min(a, b));
    const max = sum.reduce((a, b) => Math.max(a, b));
    if (max > min) sums.push(Float32Array.from(sum, (value) => (value - min) / (max - min)));
  }
  if (sums.length === 0) sums.push(new Float32Array(pixels));
  const data = new Float32Array(sums.length * pixels);
  sums.forEach((sum, g) => {
    data.set(sum, g * pixels);
  });
  return { count: sums.length, height, width, data };
}
