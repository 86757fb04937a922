import type { Progress } from './types';

/** Turns (done, total) into {@link Progress} with rate and time left; hears nothing, costs nothing. */
export function progressMeter(
  phase: Progress['phase'],
  listener: ((progress: Progress) => void) | undefined,
): (done: number, total: number) => void {
  const start = performance.now();
  return (done, total) => {
    if (!listener) return;
    const seconds = (performance.now() - start) / 1000;
    const rate = seconds > 0 ? done / seconds : 0;
    // What the first hundredth takes says little: its first step may wait for a server or a compiler.
    const isTelling = rate > 0 && 100 * done >= total;
    listener({
      phase,
      done,
      total,
      rate,
      secondsLeft: isTelling ? (total - done) / rate : undefined,
    });
  };
}
