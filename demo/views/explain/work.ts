import { ScoreCamError } from '../../../src/index';
import { h } from '../../dom';
import type { Context } from '../../view';
import { errorNodes, isHopeless, progressText, type Texts } from './wording';

/** Does one thing at a time, and says what it is, how far it is and what became of it. */
export class Work {
  /** For whoever cannot see the picture, too: read out as it changes. */
  readonly status = h('p', { id: 'status', class: 'status', role: 'status' });
  readonly again: HTMLButtonElement;
  readonly working: HTMLElement;
  private readonly bar: HTMLProgressElement;
  private readonly passes = h('p', { id: 'passes', class: 'small' });
  private readonly stopProgress: () => void;
  private running: AbortController | undefined;
  private retry = (): void => {};

  /** @param onHopeless Hears that nothing can be computed here. */
  constructor(
    private readonly texts: Texts,
    private readonly models: Context<Texts>['models'],
    private readonly onHopeless: () => void,
  ) {
    this.bar = h('progress', { id: 'progress', max: 1, 'aria-label': texts.progress });
    this.working = h(
      'div',
      { id: 'working', class: 'working', hidden: true },
      this.bar,
      this.passes,
      h('button', { id: 'cancel', type: 'button', onclick: () => this.stop() }, texts.cancel),
    );
    this.again = h(
      'button',
      { id: 'again', type: 'button', hidden: true, onclick: () => this.retry() },
      texts.again,
    );
    this.stopProgress = models.onProgress((progress) => this.showProgress(progress));
  }

  say(text: string): void {
    // The same words twice would be read out twice.
    if (this.status.textContent !== text) this.status.textContent = text;
    this.status.classList.remove('error');
    this.again.hidden = true;
  }

  fail(error: unknown): void {
    if (error instanceof ScoreCamError && error.code === 'device-lost') this.models.forget();
    this.status.replaceChildren(...errorNodes(error, this.texts));
    this.status.classList.add('error');
    this.again.hidden = isHopeless(error);
    if (isHopeless(error)) this.onHopeless();
  }

  readonly showProgress = (progress: Parameters<typeof progressText>[0]): void => {
    this.bar.max = progress.total;
    this.bar.value = progress.done;
    this.passes.textContent = progressText(progress, this.texts);
  };

  get isBusy(): boolean {
    return this.running !== undefined;
  }

  /**
   * Stops what is under way, and starts this. What was stopped by something newer says nothing; what fails can be
   * tried again by a button.
   */
  async start(text: string, task: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.stop();
    const controller = new AbortController();
    this.running = controller;
    this.retry = () => void this.start(text, task);
    const { signal } = controller;
    this.working.hidden = false;
    this.passes.textContent = '';
    this.bar.removeAttribute('value');
    this.say(text);
    try {
      await task(signal);
    } catch (error) {
      if (this.running !== controller) return;
      if (signal.aborted) this.say(this.texts.cancelled);
      else this.fail(error);
    } finally {
      if (this.running === controller) {
        this.running = undefined;
        this.working.hidden = true;
      }
    }
  }

  stop(): void {
    this.running?.abort();
  }

  /** Stops, and says nothing any more. */
  dispose(): void {
    const { running } = this;
    this.running = undefined;
    running?.abort();
    this.stopProgress();
  }
}

/** What a promise gives, unless the signal comes first: for what goes on for others. */
export function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
