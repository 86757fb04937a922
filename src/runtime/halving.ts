import { ScoreCamError } from '../errors';

/** Bytes below which it is not the batch that is too large. */
const LEAST = 65536;

/**
 * Does some work within a budget of GPU memory, and where the GPU has not as much within half of it, and so on.
 * @throws ScoreCamError `out-of-memory` where not even one pass at a time fits
 */
export async function halving<T>(budget: number, work: (budget: number) => Promise<T>): Promise<T> {
  let refused: ScoreCamError | undefined;
  for (let within = budget; ; within /= 2) {
    try {
      return await work(within);
    } catch (error) {
      const { code, message } = error as ScoreCamError;
      // Half of what was refused is less than one pass needs: both figures are told.
      if (refused && code === 'limit') {
        throw new ScoreCamError('out-of-memory', `${refused.message} ${message}`, { cause: error });
      }
      const isRefused = error instanceof ScoreCamError && code === 'out-of-memory';
      if (!isRefused || within < LEAST) throw error;
      refused = error;
    }
  }
}
