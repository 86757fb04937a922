import type { SaturationPoint } from '../../cli/evaluation/argument';
import { runForward, type Target } from '../../src/explain/forward';
import { meanGradients } from '../../src/explain/methods/runs/gradients';
import { Arena } from '../../src/gpu/arena';
import { gradients, readTape } from '../../src/runtime/backward';
import { layersToKeep } from '../../src/runtime/layers-to-keep';
import type { Runner } from '../../src/runtime/runner';

/** The image at a strength between the baseline (0) and itself (1). */
export interface WalkPoint extends SaturationPoint {
  readonly logit: number;
  /**
   * Share of the values behind the target layer that ReLU has set to zero, and through which no gradient comes back.
   */
  readonly silent: number;
}

/**
 * Walks from the baseline, the mean colour, to the image, as Sundararajan et al. (2017, section 2) do, and asks at every
 * step for the class's score and for how large Grad-CAM's weights are there: the mean gradients of each map of the target
 * layer, of the logit and of the probability.
 * @param input [3, height, width], normalised, so that the baseline is 0
 * @param onPoint hears of each point as it is reached
 */
export async function walk(
  runner: Runner,
  input: Float32Array<ArrayBuffer>,
  classIndex: number,
  steps: number,
  onPoint: (point: WalkPoint) => void,
  signal: AbortSignal,
): Promise<WalkPoint[]> {
  const points: WalkPoint[] = [];
  for (let step = 0; step <= steps; step++) {
    const t = step / steps;
    const scaled = input.map((value) => t * value);
    const found = await runner.lasting(() => pointAt(runner, scaled, classIndex));
    signal.throwIfAborted();
    points.push({ t, ...found });
    onPoint({ t, ...found });
  }
  return points;
}

async function pointAt(
  runner: Runner,
  image: Float32Array<ArrayBuffer>,
  classIndex: number,
): Promise<Omit<WalkPoint, 't'>> {
  const arena = new Arena(runner.gpu);
  const layers = [runner.network.targetLayer];
  try {
    const { logits, probabilities, kept, targets } = await runForward(
      runner,
      arena.upload('image on the way', image),
      arena,
      { layers, keep: layersToKeep(runner.plan, layers), alignCorners: false, ownRanges: false },
    );
    const [{ name, maps }] = targets as readonly [Target];
    const tape = await readTape(runner, logits, kept, layers);
    const sizeOf = async (of: 'logit' | 'probability'): Promise<number> => {
      const found = await gradients(runner, tape, layers, {
        question: [[classIndex, 1]],
        of,
      });
      return Math.hypot(...meanGradients(maps, found.get(name) as Float32Array).weights);
    };
    // What is kept besides the target layer are outputs of activations.
    const behind = [...tape.outputs].flatMap(([layer, values]) => (layer === name ? [] : [values]));
    const count = behind.reduce((sum, { length }) => sum + length, 0);
    const zeros = behind.reduce((sum, all) => sum + all.filter((value) => value === 0).length, 0);
    return {
      silent: count > 0 ? zeros / count : 0,
      logit: logits[classIndex] as number,
      probability: probabilities[classIndex] as number,
      ofLogit: await sizeOf('logit'),
      ofProbability: await sizeOf('probability'),
    };
  } finally {
    arena.dispose();
  }
}
