import { Arena } from '../../../gpu/arena';
import { type Evidence, type LayerEvidence, unmasked } from '../../evidence';
import type { Forward } from '../../forward';
import { progressMeter } from '../../progress';
import type { ActivationMaps } from '../../saliency';
import { column } from '../column';
import { questionOf } from '../finer';
import type { RunOptions } from '../method';
import { type Clusters, kMeans } from './k-means';
import { scoreMaps } from './score-maps';

/**
 * Score-CAM with a masked pass for each cluster of maps, after Cluster-CAM (Feng et al. 2024): the maps that are not constant,
 * each min-max normalised, are put into `groups` clusters; the mask is the mean of a cluster, and alpha_k is p_c(X o H) of the
 * mask of the cluster that map k is in. The scores are good for every class.
 */
export async function clusterCam(forward: Forward, options: RunOptions): Promise<Evidence> {
  const { runner, input, logits, targets } = forward;
  const { choice } = options;
  const classes = runner.network.labels.length;
  const clustered = targets.map((target) => {
    const { name, maps, constantChannels } = target;
    const constant = new Set(constantChannels);
    const channels = Array.from({ length: maps.count }, (_, k) => k).filter(
      (k) => !constant.has(k),
    );
    const points = channels.map((k) => normalised(maps, k));
    const clusters = kMeans(points, choice.groups as number, choice.seed as number);
    return { target: { name, maps, constantChannels }, channels, clusters };
  });
  const total = clustered.reduce((sum, { clusters }) => sum + clusters.centres.length, 0);
  const meter = progressMeter('masks', options.onProgress);
  const scored: (Omit<LayerEvidence, 'alpha' | 'weights'> & { probabilities: Float32Array })[] = [];
  let before = 0;
  for (const { target, channels, clusters } of clustered) {
    const { maps } = target;
    const done = before;
    const onPasses = (masked: number): void => meter(done + masked, total);
    const arena = new Arena(runner.gpu);
    try {
      const masks = centresOf(clusters, maps);
      const found = await scoreMaps(runner, arena, input, masks, { ...options, onPasses });
      const spread = (rows: Float32Array, otherwise: number): Float32Array => {
        const all = new Float32Array(maps.count * classes).fill(otherwise);
        channels.forEach((k, i) => {
          const row = (clusters.clusterOf[i] as number) * classes;
          all.set(rows.subarray(row, row + classes), k * classes);
        });
        return all;
      };
      const layer = unmasked(target);
      scored.push({
        ...layer,
        maps,
        channels: { ...layer.channels, evaluated: channels.length },
        scores: spread(found.logits, Number.NaN),
        probabilities: spread(found.probabilities, 0),
      });
    } finally {
      arena.dispose();
    }
    before += clusters.centres.length;
  }
  return {
    rule: { relu: 'after', alignCorners: false },
    passes: { forward: total, backward: 0, head: 0 },
    ofClass: async (classIndex) => {
      const asked = await questionOf(classIndex, logits, choice);
      return scored.map(({ probabilities, ...layer }) => {
        const weights = Float32Array.from(column(probabilities, classes, asked));
        return { ...layer, weights, alpha: weights };
      });
    },
  };
}

/** A map that is not constant, in f64. */
function normalised({ data, height, width }: ActivationMaps, k: number): Float64Array {
  const map = Float64Array.from(data.subarray(k * height * width, (k + 1) * height * width));
  const min = map.reduce((a, b) => Math.min(a, b));
  const max = map.reduce((a, b) => Math.max(a, b));
  return map.map((value) => (value - min) / (max - min));
}

function centresOf({ centres }: Clusters, { height, width }: ActivationMaps): ActivationMaps {
  const data = new Float32Array(centres.length * height * width);
  centres.forEach((centre, i) => {
    data.set(centre, i * height * width);
  });
  return { count: centres.length, height, width, data };
}
