import { Arena } from '../../../gpu/arena';
import type { Runner } from '../../../runtime/runner';
import { baselineInput } from '../../baseline';
import type { RunOptions } from '../method';

/** [classes] probabilities of the image without evidence. */
export async function baselineScores(
  runner: Runner,
  { choice, pixels, manifest }: RunOptions,
): Promise<Float32Array> {
  const arena = new Arena(runner.gpu);
  try {
    const input = baselineInput(choice.baseline, pixels, manifest) as Float32Array<ArrayBuffer>;
    return (await runner.forward(arena.upload('baseline', input), arena)).probabilities;
  } finally {
    arena.dispose();
  }
}
