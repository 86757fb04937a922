import { ablateChannels } from '../../../kernels/inputs/ablate_channels';
import { checkFinite } from '../../../numbers/finite';
import { type Evidence, unmasked } from '../../evidence';
import type { Forward } from '../../forward';
import { column } from '../column';
import { questionOf } from '../finer';
import type { RunOptions } from '../method';
import { scoreTargets } from './head-only';

/**
 * Ablation-CAM (Desai and Ramaswamy 2020): alpha_k = (z_c - z_c^k) / z_c, z_c^k the logit with
 * map k set to zero; pytorch-grad-cam's formula.
 */
export async function ablationCam(forward: Forward, options: RunOptions): Promise<Evidence> {
  const { logits, runner } = forward;
  const classes = runner.network.labels.length;
  const altered = await scoreTargets(forward, options, {
    count: ({ maps }) => maps.count,
    fill: ({ activations, maps: { count, height, width } }) => {
      const shape = { label: 'ablated maps', channels: count, pixels: height * width };
      return (first, batch, output) => [
        ablateChannels({ ...shape, batch, first, maps: activations, output }),
      ];
    },
  });
  return {
    rule: { relu: 'before', alignCorners: false },
    passes: { forward: 0, backward: 0, head: altered.head },
    ofClass: async (classIndex) => {
      const asked = await questionOf(classIndex, logits, options.choice);
      return altered.layers.map(({ target, scores }) => {
        const whole = column(logits, classes, asked)[0] as number;
        const weights = Float32Array.from(
          column(scores.logits, classes, asked),
          (without) => (whole - without) / whole,
        );
        checkFinite(weights, `The weights of ${target.name}, shares of the score ${whole},`);
        const layer = { ...unmasked(target), scores: scores.logits };
        return { ...layer, maps: target.maps, weights, alpha: weights };
      });
    },
  };
}
