import type { Scores } from './scores';

/** The scores of one run of masked passes, as far as it has come. Rows of masks that are not through are 0. */
export interface Finished extends Scores {
  /** 1 for each mask that is through. */
  readonly through: Uint8Array;
}

/**
 * What an explanation's masked passes have brought so far, in host memory: it outlives the device. Passes that are begun
 * again, on another device or in smaller batches, go on from there.
 */
export class FinishedScores {
  /** Of each run so far, or of work that had some (once.ts). */
  readonly runs: (Finished | { readonly result: unknown })[] = [];
  /** The next of them. */
  at = 0;

  /** The runs come again, in the same order. */
  rewind(): void {
    this.at = 0;
  }

  /** That of the next run, of so many masks. */
  next(masks: number, classes: number): Finished {
    const run = (this.runs[this.at] as Finished | undefined) ?? {
      logits: new Float32Array(masks * classes),
      probabilities: new Float32Array(masks * classes),
      through: new Uint8Array(masks),
    };
    this.runs[this.at++] = run;
    return run;
  }
}

export function asTheyCome(total: number): number[] {
  return [...Array(total).keys()];
}

/** Puts a block's rows, in the order of the run, where the masks' own are. */
export function finish(
  finished: Finished,
  masks: readonly number[] | Uint32Array,
  own: Scores,
  classes: number,
): void {
  masks.forEach((mask, at) => {
    for (const kind of ['logits', 'probabilities'] as const) {
      finished[kind].set(own[kind].subarray(at * classes, (at + 1) * classes), mask * classes);
    }
    finished.through[mask] = 1;
  });
}
