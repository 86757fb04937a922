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
  private readonly runs: Finished[] = [];
  private at = 0;

  /** The runs come again, in the same order. */
  rewind(): void {
    this.at = 0;
  }

  /** That of the next run, of so many masks. */
  next(masks: number, classes: number): Finished {
    const run = this.runs[this.at] ?? {
      logits: new Float32Array(masks * classes),
      probabilities: new Float32Array(masks * classes),
      through: new Uint8Array(masks),
    };
    this.runs[this.at++] = run;
    return run;
  }
}
