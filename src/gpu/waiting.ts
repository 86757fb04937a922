/** What an answer from a queue with nothing to do may take, in ms; Chrome takes about one. */
const PROMPT_MS = 25;

/** Milliseconds from one nudge to the next: the first soon, for short work, later ones so that they cost nothing. */
const FIRST_NUDGE_MS = 1;
const LAST_NUDGE_MS = 4;

/**
 * Waits for a device's queue. Firefox looks for finished work by a timer of 100 ms (Mozilla's bug 1870699) and whenever
 * something is submitted. Where a queue with nothing to do is slow to say so, empty submits go out while anyone waits.
 */
export class Waiting {
  private readonly queue: GPUQueue;
  private isSlow = false;
  private isNudging = false;
  private waiting = 0;

  constructor(queue: GPUQueue) {
    this.queue = queue;
    const asked = performance.now();
    void queue.onSubmittedWorkDone().then(() => {
      this.isSlow = performance.now() - asked > PROMPT_MS;
    });
  }

  /** @param work what the queue is to finish, submitted already */
  async for<T>(work: Promise<T>): Promise<T> {
    this.waiting++;
    if (this.isSlow && !this.isNudging) this.nudge(FIRST_NUDGE_MS);
    try {
      return await work;
    } finally {
      this.waiting--;
    }
  }

  private nudge(ms: number): void {
    this.isNudging = true;
    setTimeout(() => {
      this.isNudging = this.waiting > 0;
      if (!this.isNudging) return;
      this.queue.submit([]);
      this.nudge(Math.min(LAST_NUDGE_MS, ms + 1));
    }, ms);
  }
}
