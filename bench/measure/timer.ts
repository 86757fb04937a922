import { median } from '../../cli/median';
import type { Gpu } from '../../src/gpu/gpu';
import type { Dispatch } from '../../src/gpu/kernel';
import type { DispatchTiming } from '../../src/gpu/profiler';
import type { Clock, Measurement } from './types';

/** Milliseconds that a run takes at least: shorter work is done several times in one submit. */
const LEAST = 2;
const MOST_REPEATS = 64;

/** How often to do work of so many milliseconds in one run, to be well above the clock's step. */
export function repeatsFor(ms: number): number {
  return Math.max(1, Math.min(MOST_REPEATS, Math.ceil(LEAST / Math.max(ms, 1e-6))));
}

/** How many runs work of so many milliseconds gets: what takes seconds is steadier, and three are enough. */
export function runsFor(ms: number, asked: number): number {
  if (ms > 30_000) return 1;
  return ms > 1500 ? Math.min(asked, 3) : asked;
}

/** By the wall clock, of a whole submit. */
type KernelTime = Pick<DispatchTiming, 'kernel' | 'label' | 'ms'>;

export type Timed = Pick<Measurement, 'clock' | 'runs' | 'repeats' | 'kernels'>;

/** Times dispatches by timestamp queries, or by the wall clock where the device has none. */
export class Timer {
  readonly clock: Clock;
  readonly runs: number;
  private readonly gpu: Gpu;

  constructor(gpu: Gpu, runs: number) {
    this.gpu = gpu;
    this.runs = runs;
    this.clock = gpu.device.features.has('timestamp-query') ? 'timestamps' : 'wall clock';
  }

  /** The same with another number of runs. */
  withRuns(runs: number): Timer {
    return new Timer(this.gpu, runs);
  }

  /** Dispatches in one submit, after a warm-up, as often as work of that length deserves. */
  async time(label: string, dispatches: readonly Dispatch[]): Promise<Timed> {
    // Compiles pipelines and touches memory.
    await this.once(label, dispatches);
    const estimate = total(await this.once(label, dispatches));
    const repeats = repeatsFor(estimate);
    const all = Array.from({ length: repeats }, () => dispatches).flat();
    const runs: number[] = [];
    const byKernel: Map<string, number>[] = [];
    for (let i = 0; i < runsFor(estimate, this.runs); i++) {
      const timings = await this.once(label, all);
      runs.push(total(timings) / repeats);
      byKernel.push(sums(timings, ({ kernel, ms }) => [kernel, ms / repeats]));
    }
    return {
      clock: this.clock,
      runs,
      ...(repeats > 1 ? { repeats } : {}),
      ...(dispatches.length > 1 && this.clock === 'timestamps' ? kernelsOf(byKernel) : {}),
    };
  }

  /** Anything that ends when the GPU has finished, by the wall clock: what somebody who waits sees. */
  async wait(work: () => Promise<unknown>): Promise<Timed> {
    return (await this.waitInTurn([work]))[0] as Timed;
  }

  /** Several such works to be compared: run after run in turn, so that a busy machine disturbs them alike. */
  async waitInTurn(works: readonly (() => Promise<unknown>)[]): Promise<Timed[]> {
    let longest = 0;
    for (const work of works) longest = Math.max(longest, await elapsed(work));
    const all: number[][] = works.map(() => []);
    for (let i = 0; i < runsFor(longest, this.runs); i++) {
      for (const [which, work] of works.entries()) all[which]?.push(await elapsed(work));
    }
    return all.map((runs) => ({ clock: 'wall clock', runs }));
  }

  /** Every dispatch of some work; nothing without timestamp queries. */
  async profile(work: () => Promise<unknown>): Promise<DispatchTiming[]> {
    if (this.clock === 'wall clock') {
      await work();
      return [];
    }
    await this.gpu.startProfile();
    try {
      await work();
      return this.gpu.stopProfile();
    } finally {
      this.gpu.stopProfile();
    }
  }

  private async once(label: string, dispatches: readonly Dispatch[]): Promise<KernelTime[]> {
    const submit = () => this.gpu.submit(label, dispatches);
    if (this.clock === 'timestamps') return this.profile(submit);
    return [{ kernel: label, label, ms: await elapsed(submit) }];
  }
}

async function elapsed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

export function total(timings: readonly KernelTime[]): number {
  return timings.reduce((sum, { ms }) => sum + ms, 0);
}

/** Adds up what has the same key. */
export function sums<T>(
  items: readonly T[],
  of: (item: T) => [string, number],
): Map<string, number> {
  const found = new Map<string, number>();
  for (const item of items) {
    const [key, value] = of(item);
    found.set(key, (found.get(key) ?? 0) + value);
  }
  return found;
}

/** The median of each kernel over the runs, longest first. */
export function kernelsOf(runs: readonly Map<string, number>[]): Pick<Measurement, 'kernels'> {
  const names = [...new Set(runs.flatMap((run) => [...run.keys()]))];
  const kernels = names.map((kernel) => ({
    kernel,
    ms: median(runs.map((run) => run.get(kernel) ?? 0)),
  }));
  return { kernels: kernels.sort((a, b) => b.ms - a.ms) };
}
