import type { Progress } from './types';

/** Progress of any work: what {@link Progress} tells of the library's own. */
export type Step<Phase extends string = string> = Omit<Progress, 'phase'> & {
  readonly phase: Phase;
};

/**
 * Tells a listener of the page's, and waits for nothing that it does. What it throws, at once or later, is the page's own
 * and no reason to lose long work: it is reported as what a listener of events throws.
 */
export function tell<Event>(listener: ((event: Event) => unknown) | undefined, event: Event): void {
  (async () => listener?.(event))().catch(globalThis.reportError ?? console.error);
}

/**
 * Turns (done, total) into steps with rate and time left; hears nothing, costs nothing. The clock starts at
 * once; where work `resumes`, at the first call, and what was done by then took no time.
 */
export function progressMeter<Phase extends string>(
  phase: Phase,
  listener: ((step: Step<Phase>) => void) | undefined,
  { resumes = false } = {},
): (done: number, total: number) => void {
  let start = resumes ? undefined : { time: performance.now(), done: 0 };
  return (done, total) => {
    if (!listener) return;
    const now = performance.now();
    start ??= { time: now, done };
    const seconds = (now - start.time) / 1000;
    const own = done - start.done;
    const rate = seconds > 0 ? own / seconds : 0;
    // What the first hundredth takes says little: its first step may wait for a server or a compiler.
    const isTelling = rate > 0 && 100 * own >= total - start.done;
    tell(listener, {
      phase,
      done,
      total,
      rate,
      secondsLeft: isTelling ? (total - done) / rate : undefined,
    });
  };
}
