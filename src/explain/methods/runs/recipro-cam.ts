import { singlePositions } from '../../../kernels/inputs/single_positions';
import { type Evidence, unmasked } from '../../evidence';
import type { Forward } from '../../forward';
import { column } from '../column';
import { questionOf } from '../finer';
import type { RunOptions } from '../method';
import { scoreTargets } from './head-only';

/**
 * Recipro-CAM (Byun and Lee 2022): the map at a position is the class's probability when that position
 * alone is left of all activation maps, softened by a Gaussian of 3x3.
 */
export async function reciproCam(forward: Forward, options: RunOptions): Promise<Evidence> {
  const { logits, runner } = forward;
  const classes = runner.network.labels.length;
  const altered = await scoreTargets(forward, options, {
    count: ({ maps }) => maps.height * maps.width,
    fill: ({ activations, maps: { count, height, width } }) => {
      const shape = { label: 'single positions', channels: count, height, width };
      return (first, batch, output) => [
        singlePositions({ ...shape, batch, first, maps: activations, output }),
      ];
    },
  });
  return {
    rule: { relu: 'none', alignCorners: false },
    passes: { forward: 0, backward: 0, head: altered.head },
    ofClass: async (classIndex) => {
      const asked = await questionOf(classIndex, logits, options.choice);
      return altered.layers.map(({ target, scores }) => {
        const data = Float32Array.from(column(scores.probabilities, classes, asked));
        return {
          ...unmasked(target),
          maps: { ...target.maps, count: 1, data },
          alpha: Float32Array.of(1),
          weights: new Float32Array(0),
        };
      });
    },
  };
}
