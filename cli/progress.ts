import { SingleBar } from 'cli-progress';
import type { Step } from '../src/explain/progress';
import { duration } from './words';

/** Shows progress on stderr: a bar on a terminal, at most five lines a phase elsewhere. */
export class ProgressDisplay {
  private bar: SingleBar | undefined;
  private phase = '';
  private total = 0;
  private quarter = -1;

  update(step: Step): void {
    if (step.phase !== this.phase || step.total !== this.total) {
      this.stop();
      this.phase = step.phase;
      this.total = step.total;
      this.quarter = -1;
    }
    if (process.stderr.isTTY) this.draw(step);
    else this.print(step);
  }

  /** Leaves the last state on the screen; to be called before anything else is printed. */
  stop(): void {
    this.bar?.stop();
    this.bar = undefined;
    this.phase = '';
  }

  private draw(step: Step): void {
    const payload = { name: step.phase.padEnd(8), note: note(step) };
    if (this.bar) {
      this.bar.update(step.done, payload);
    } else {
      this.bar = new SingleBar({
        stream: process.stderr,
        format: '{name} [{bar}] {note}',
        barsize: 24,
        barCompleteChar: '#',
        barIncompleteChar: '.',
        hideCursor: true,
        // Ctrl-C is for the command to handle.
        gracefulExit: false,
      });
      this.bar.start(step.total, step.done, payload);
    }
  }

  private print(step: Step): void {
    const quarter = step.total > 0 ? Math.floor((4 * step.done) / step.total) : 4;
    if (quarter <= this.quarter) return;
    this.quarter = quarter;
    process.stderr.write(`${step.phase}: ${note(step)}\n`);
  }
}

const IN_BYTES: readonly string[] = ['download', 'convert', 'weights'];

/** `128 of 512 passes, 45.2 a second, 9 s left`; weights are counted in bytes. */
export function note({ phase, done, total, rate, secondsLeft }: Step): string {
  const [unit, size] = unitOf(phase, total);
  const digits = size > 1 ? 1 : 0;
  const amounts = [done, total].map((value) => (value / size).toFixed(digits));
  const parts = [`${amounts.join(' of ')} ${unit}`];
  if (rate > 0) parts.push(`${(rate / size).toFixed(1)} a second`);
  if (secondsLeft !== undefined && done < total) parts.push(`${duration(secondsLeft)} left`);
  return parts.join(', ');
}

function unitOf(phase: string, total: number): [name: string, size: number] {
  if (IN_BYTES.includes(phase)) return total < 2 ** 20 ? ['KiB', 2 ** 10] : ['MiB', 2 ** 20];
  if (phase === 'tuning') return ['ways to convolve', 1];
  return [phase === 'masks' ? 'passes' : phase, 1];
}
