import { Arena } from '../../../gpu/arena';
import type { Slice } from '../../../gpu/kernel';
import type { MaskedRunOptions, Masks, Runner } from '../../../runtime/runner';
import { baselineInput } from '../../baseline';
import { softmaxRows } from '../../forward';
import type { RunOptions } from '../method';

/** What a network says to masked images, or to altered activation maps: [passes, classes] each. */
export interface Scores {
  readonly logits: Float32Array;
  readonly probabilities: Float32Array;
}

/** A masked pass for each of `masks.channels`; none of none. */
export async function maskedScores(
  runner: Runner,
  image: Slice,
  masks: Masks,
  options: MaskedRunOptions,
): Promise<Scores> {
  if (masks.channels.length === 0) return NO_SCORES;
  return scoresOf(runner, await runner.maskedLogits(image, masks, options));
}

/** Logits with their probabilities. */
export async function scoresOf(runner: Runner, logits: Float32Array): Promise<Scores> {
  const classes = runner.network.labels.length;
  return { logits, probabilities: await softmaxRows(runner.gpu, logits, classes) };
}

const NO_SCORES: Scores = { logits: new Float32Array(0), probabilities: new Float32Array(0) };

/** [classes] probabilities of the image without evidence. */
export async function baselineScores(
  runner: Runner,
  { choice, pixels, manifest }: RunOptions,
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
