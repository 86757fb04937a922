import { ablateChannels } from '../kernels/inputs/ablate_channels';
import { singlePositions } from '../kernels/inputs/single_positions';
import { checkFinite } from '../numbers/finite';
import type { Scores } from '../runtime/runner';
import { column } from './column';
import type { Evidence } from './evidence';
import type { Forward, Target } from './forward';
import { unmasked } from './gradients';
import { progressMeter } from './progress';
import type { ScoreCamOptions } from './score-cam';

/* Methods that alter the activation maps and run only the layers behind them. */

/**
 * Ablation-CAM (Desai and Ramaswamy 2020): alpha_k = (z_c - z_c^k) / z_c, z_c^k the logit with
 * map k set to zero; pytorch-grad-cam's formula.
 */
export async function ablationCam(forward: Forward, options: ScoreCamOptions): Promise<Evidence> {
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
    ofClass: async (classIndex) =>
      altered.layers.map(({ target, scores }) => {
        const whole = logits[classIndex] as number;
        const weights = Float32Array.from(
          column(scores.logits, classes, classIndex),
          (without) => (whole - without) / whole,
        );
        checkFinite(weights, `The weights of ${target.name}, shares of the logit ${whole},`);
        const layer = { ...unmasked(target), scores: scores.logits };
        return { ...layer, maps: target.maps, weights, alpha: weights };
      }),
  };
}

/**
 * Recipro-CAM (Byun and Lee 2022): the map at a position is the class's probability when that position
 * alone is left of all activation maps, softened by a Gaussian of 3x3.
 */
export async function reciproCam(forward: Forward, options: ScoreCamOptions): Promise<Evidence> {
  const classes = forward.runner.network.labels.length;
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
    ofClass: async (classIndex) =>
      altered.layers.map(({ target, scores }) => {
        const data = Float32Array.from(column(scores.probabilities, classes, classIndex));
        return {
          ...unmasked(target),
          maps: { ...target.maps, count: 1, data },
          alpha: Float32Array.of(1),
          weights: new Float32Array(0),
        };
      }),
  };
}

interface Alteration {
  /** How many altered copies of the target's maps there are. */
  readonly count: (target: Target) => number;
  readonly fill: (target: Target) => Parameters<Forward['runner']['scoresAfter']>[2];
}

type Kept = Pick<Target, 'name' | 'maps' | 'constantChannels'>;

/** The scores of every altered copy of every target's maps, and how many there were. */
async function scoreTargets(
  { runner, targets }: Forward,
  { memoryBudget, signal, onProgress }: ScoreCamOptions,
  { count, fill }: Alteration,
): Promise<{ head: number; layers: { target: Kept; scores: Scores }[] }> {
  const total = targets.reduce((sum, target) => sum + count(target), 0);
  const meter = progressMeter('masks', onProgress);
  const layers: { target: Kept; scores: Scores }[] = [];
  let before = 0;
  for (const target of targets) {
    const own = count(target);
    const done = before;
    const onPasses = (masked: number): void => meter(done + masked, total);
    const run = { memoryBudget, signal, onPasses };
    const scores = await runner.scoresAfter(target.name, own, fill(target), run);
    const { name, maps, constantChannels } = target;
    layers.push({ target: { name, maps, constantChannels }, scores });
    before += own;
  }
  return { head: total, layers };
}
