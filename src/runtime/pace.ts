/** What a submit should take: short enough for a page that draws in between, long enough to fill a GPU. */
const AIM_MS = 200;

/** One submit is at most so many times the one before it, up or down: a hiccup must not upset the run. */
const STEP = 4;

/**
 * How much work goes into one submit. Browsers and Windows reset a GPU that is busy for about two seconds, and
 * adapters differ by a factor of a thousand: so the first submit is small, and later ones go by what the last took.
 */
export class Pace {
  private now: number;

  /** @param flop floating-point operations of the first submit */
  constructor(flop: number) {
    this.now = flop;
  }

  /** Floating-point operations of the next submit. */
  get flopPerSubmit(): number {
    return this.now;
  }

  /** A submit of `flop` operations kept the GPU busy for `ms`. */
  took(flop: number, ms: number): void {
    if (!(flop > 0 && ms > 0)) return;
    const wanted = (flop / ms) * AIM_MS;
    this.now = Math.min(STEP * this.now, Math.max(this.now / STEP, wanted));
  }
}
