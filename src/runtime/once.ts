import type { FinishedScores } from './finished';

/**
 * Does some work once; when it comes again, there is what it gave. The scores of its own runs are not kept longer than it
 * takes.
 */
export async function once<T>(finished: FinishedScores, work: () => Promise<T>): Promise<T> {
  const { at, runs } = finished;
  const known = runs[at];
  const isKnown = known !== undefined && 'result' in known;
  const result = isKnown ? (known.result as T) : await work();
  // What it has run stood from here on.
  if (!isKnown) runs.splice(at, runs.length, { result });
  finished.at = at + 1;
  return result;
}
