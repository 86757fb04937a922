/** What the page says: how far it is, and what went wrong. */
import { type Progress, ScoreCamError } from '../src/index';
import { element } from './element';

export function say(text: string, isError = false): void {
  const status = element('status');
  status.textContent = text;
  status.classList.toggle('error', isError);
}

/** An error in the page's words. */
export function explain(error: unknown): string {
  if (!(error instanceof ScoreCamError)) return `Something went wrong: ${error}`;
  const { code, message } = error;
  return code === 'no-webgpu' || code === 'no-adapter'
    ? `This page computes with WebGPU, which is not available here. ${message}`
    : message;
}

function duration(seconds: number): string {
  return seconds < 100 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}

export function showProgress({ phase, done, total, rate, secondsLeft }: Progress): void {
  const bar = element<HTMLProgressElement>('progress');
  bar.max = total;
  bar.value = done;
  const left = secondsLeft === undefined ? '' : `, about ${duration(secondsLeft)} left`;
  element('passes').textContent =
    phase !== 'weights'
      ? `${done} of ${total} ${phase === 'masks' ? 'passes' : 'measurements'}${left}`
      : `Weights: ${megabytes(done)} of ${megabytes(total)}, ${megabytes(rate)} a second${left}`;
}
