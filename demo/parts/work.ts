import { ScoreCamError } from '../../src/errors';
import type { Progress } from '../../src/index';
import { h } from '../dom';
import type { Models } from '../models';

/** What is said of work under way. */
export interface WorkTexts {
  readonly loading: string;
  readonly progress: (done: number, total: number) => string;
  readonly noWebgpu: string;
  readonly failed: string;
}

/** A place where a view says what it is doing, how far it is, and what went wrong. */
export class Work {
  readonly element: HTMLElement;
  private readonly texts: WorkTexts;
  private readonly models: Pick<Models, 'forget'>;
  private readonly status: HTMLElement;
  private readonly bar: HTMLProgressElement;

  constructor(texts: WorkTexts, models: Pick<Models, 'forget'>) {
    this.texts = texts;
    this.models = models;
    this.status = h('p', { role: 'status', class: 'status' });
    this.bar = h('progress', { hidden: true, 'aria-label': texts.loading });
    this.element = h('div', { class: 'working' }, this.status, this.bar);
  }

  /** Does something that may take a while, and says what became of it; nothing once it is stopped. */
  async run(
    what: string,
    signal: AbortSignal,
    task: (onProgress: (progress: Pick<Progress, 'done' | 'total'>) => void) => Promise<string>,
  ): Promise<void> {
    this.status.classList.remove('error');
    this.status.textContent = what;
    this.bar.removeAttribute('value');
    this.bar.hidden = false;
    this.element.setAttribute('aria-busy', 'true');
    try {
      const outcome = await task(({ done, total }) => {
        this.bar.max = total;
        this.bar.value = done;
        // The bar's own words: the status is read out once.
        this.bar.setAttribute('aria-valuetext', this.texts.progress(done, total));
      });
      if (!signal.aborted) this.status.textContent = outcome;
    } catch (error) {
      if (!signal.aborted) this.fail(error);
    } finally {
      this.bar.hidden = true;
      this.element.removeAttribute('aria-busy');
    }
  }

  say(text: string): void {
    this.status.textContent = text;
  }

  fail(error: unknown): void {
    const { noWebgpu, failed } = this.texts;
    const code = error instanceof ScoreCamError ? error.code : '';
    if (code === 'device-lost') this.models.forget();
    const why = error instanceof Error ? error.message : String(error);
    this.status.classList.add('error');
    // The library's own words are English.
    this.status.replaceChildren(
      /^no-(webgpu|adapter)$/.test(code) ? noWebgpu : failed,
      ' ',
      h('span', { lang: 'en' }, why),
    );
  }
}
