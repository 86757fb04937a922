import type { Gpu } from '../gpu/gpu';
import type { Dispatch } from '../gpu/kernel';
import type { DispatchTiming } from '../gpu/profiler';

/*
 * How long dispatches take, by clocks that may be coarse: browsers round timestamps to 0.1 ms, or give 0 for all of
 * them, and some hear only every 100 ms that a GPU has finished. So dispatches are repeated until what a clock shows is
 * far above what it can resolve.
 */

interface Clock {
  /** Milliseconds of so many rounds. */
  read(label: string, dispatches: readonly Dispatch[], rounds: number): Promise<number>;
  /** Milliseconds that it must show to be believed. */
  readonly enough: number;
}

/** Timestamps are rounded to 0.1 ms, and those of every dispatch for itself. */
const ENOUGH_BY_TIMESTAMPS = 5;

/** What the clock on the wall must show, over what it resolves, and at least, since others' work counts in it. */
const RESOLVED = 16;
const ENOUGH_BY_WALL = 20;

/** Where a clock stands still, so many rounds are enough. */
const MOST_ROUNDS = 2 ** 14;

/** Rounds of a submit at most, and dispatches: a GPU should come to its end in a second or two, timed or not. */
const ROUNDS_PER_SUBMIT = 16;
const DISPATCHES_PER_SUBMIT = 1024;

/** Measurements of which the least counts, unless they take long, as what disturbs one is short. */
const MEASUREMENTS = 3;
const LONG = 1000;

/** Times dispatches on one device, all of them by the same clock. */
export class Stopwatch {
  readonly gpu: Gpu;
  private wall: Clock | undefined;
  /** Once one is found that resolves what is timed. */
  private clock: Clock | undefined;

  constructor(gpu: Gpu) {
    this.gpu = gpu;
  }

  /**
   * Milliseconds of one round of the dispatches, the least of several measurements. What takes three times as long as
   * `best` is not measured twice. The first round should have been run: pipelines compile in it.
   */
  async time(label: string, dispatches: readonly Dispatch[], best = Infinity): Promise<number> {
    const { clock, rounds, ms } = await this.resolved(label, dispatches);
    let least = ms / rounds;
    let spent = ms;
    for (let i = 1; i < MEASUREMENTS && spent < LONG && least <= 3 * best; i++) {
      const again = await clock.read(label, dispatches, rounds);
      least = Math.min(least, again / rounds);
      spent += again;
    }
    return least;
  }

  /** A clock that resolves so many rounds, and what it shows. */
  private async resolved(label: string, dispatches: readonly Dispatch[]) {
    for (let rounds = 1; ; rounds *= 2) {
      const clocks = this.clock ? [this.clock] : await this.clocks();
      for (const clock of clocks) {
        const ms = await clock.read(label, dispatches, rounds);
        // Timestamps that show anything are what counts, however many rounds that takes; they may be 0 altogether.
        const counts = ms > 0 || clock === clocks.at(-1);
        if (ms >= clock.enough || (counts && rounds >= MOST_ROUNDS)) {
          this.clock = clock;
          return { clock, rounds, ms };
        }
        if (counts) break;
      }
    }
  }

  private async clocks(): Promise<readonly Clock[]> {
    this.wall ??= await wallClock(this.gpu);
    return this.gpu.device.features.has('timestamp-query')
      ? [timestamps(this.gpu), this.wall]
      : [this.wall];
  }
}

function timestamps(gpu: Gpu): Clock {
  return {
    enough: ENOUGH_BY_TIMESTAMPS,
    async read(label, dispatches, rounds) {
      let timings: readonly DispatchTiming[] = [];
      await gpu.startProfile();
      try {
        await submitRounds(gpu, label, dispatches, rounds);
      } finally {
        timings = gpu.stopProfile();
      }
      return timings.reduce((sum, { ms }) => sum + ms, 0);
    },
  };
}

/** The clock on the wall, which resolves no less than its own step, and the wait for a submit that does nothing. */
async function wallClock(gpu: Gpu): Promise<Clock> {
  const waits: number[] = [];
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    await gpu.submit('nothing', []);
    waits.push(performance.now() - start);
  }
  const [, , wait] = waits.sort((a, b) => a - b) as [number, number, number];
  return {
    enough: Math.max(ENOUGH_BY_WALL, RESOLVED * wait, RESOLVED * stepOfClock()),
    async read(label, dispatches, rounds) {
      const start = performance.now();
      await submitRounds(gpu, label, dispatches, rounds);
      return performance.now() - start;
    },
  };
}

function stepOfClock(): number {
  const start = performance.now();
  let now = start;
  while (now === start) now = performance.now();
  return now - start;
}

/** Submits are sent one behind the other, and waited for together. */
async function submitRounds(
  gpu: Gpu,
  label: string,
  dispatches: readonly Dispatch[],
  rounds: number,
): Promise<void> {
  const fitting = Math.floor(DISPATCHES_PER_SUBMIT / dispatches.length);
  const together = Math.max(1, Math.min(ROUNDS_PER_SUBMIT, fitting, rounds));
  const submits: Promise<void>[] = [];
  for (let left = rounds; left > 0; left -= together) {
    const own = Array.from({ length: Math.min(together, left) }, () => dispatches).flat();
    submits.push(gpu.submit(label, own));
  }
  await Promise.all(submits);
}
