import { embeddedModel } from '../embedded-model';
import {
  type ClassScore,
  type Explainer,
  type ExplainerOptions,
  type Explanation,
  METHODS,
  type ModelFacts,
  type Progress,
  ScoreCamError,
  type ScoreCamErrorCode,
} from '../index';
import { PROPERTIES, ScoreCamAttributes } from './attributes';
import { composed } from './heat-map';
import { make } from './make';
import { isLarge, type Lease, lease } from './shared';
import { en } from './strings/en';
import type { Strings } from './strings/strings';
import { type Shown, View } from './view';

export interface ScoreCamEventMap {
  /** The model is on the GPU. */
  readonly load: CustomEvent<ModelFacts>;
  readonly progress: CustomEvent<Progress>;
  readonly preview: CustomEvent<Explanation>;
  readonly explain: CustomEvent<Explanation>;
  readonly classchange: CustomEvent<ClassScore>;
  readonly error: CustomEvent<ScoreCamFailure>;
}

/** What went wrong. */
export interface ScoreCamFailure {
  /** Stable; undefined for what is no error of the library's. */
  readonly code: ScoreCamErrorCode | undefined;
  readonly message: string;
  readonly error: unknown;
}

type State = Pick<Shown, 'phase' | 'explanation' | 'progress' | 'problem'>;

const WAITING: State = {
  phase: 'waiting',
  explanation: undefined,
  progress: undefined,
  problem: undefined,
};

/** Attributes that say what is explained by what: another value begins anew. */
const MAKING = ['src', 'model', 'dtype', 'method', 'layer'];

/**
 * A picture, and where a network looked in it.
 *
 * @tagname score-cam
 *
 * @slot - The picture, as an `<img>` (or a `<picture>`) of the page's own: shown at once, without JavaScript and without WebGPU too.
 * @slot poster - Over the picture until it is explained, instead of the button. A click in it begins.
 * @slot progress - Over the picture while the network works, instead of the bar.
 * @slot no-webgpu - Below the picture where there is no WebGPU, instead of what to do in which browser.
 *
 * @fires {CustomEvent<ModelFacts>} load - The model is on the GPU.
 * @fires {CustomEvent<Progress>} progress - How far it is: `phase`, `done`, `total`, `secondsLeft`.
 * @fires {CustomEvent<Explanation>} preview - A first map, which gets clearer.
 * @fires {CustomEvent<Explanation>} explain - The picture is explained.
 * @fires {CustomEvent<ClassScore>} classchange - Another class is shown: chosen in the list, or by the page.
 * @fires {CustomEvent<ScoreCamFailure>} error - Something went wrong: `code`, `message`, `error`.
 *
 * @csspart frame - Everything.
 * @csspart stage - The picture with what lies over it.
 * @csspart picture - The picture of `src`.
 * @csspart heat-map - The map in colours.
 * @csspart point - The point whose value is read.
 * @csspart value - That value.
 * @csspart poster - Where the button lies.
 * @csspart button - Every button.
 * @csspart explain - The button that begins.
 * @csspart cancel - The button that ends.
 * @csspart download - The button that saves.
 * @csspart progress - Where the bar lies.
 * @csspart progress-bar - The bar.
 * @csspart status - The sentence below the picture.
 * @csspart no-webgpu - What is said without WebGPU.
 * @csspart controls - List, legend, slider and button.
 * @csspart classes - The list of classes.
 * @csspart class - A class in it.
 * @csspart legend - The colours and what they mean.
 * @csspart scale - The colours.
 * @csspart opacity - The slider.
 *
 * @cssprop --score-cam-ink - Colour of text. Default: the page's.
 * @cssprop --score-cam-paper - Colour behind text. Default: the page's.
 * @cssprop --score-cam-accent - Colour of what is chosen, and of the focus.
 * @cssprop --score-cam-on-accent - Colour of text on it.
 * @cssprop --score-cam-line - Colour of borders.
 * @cssprop --score-cam-progress - Colour of the bar. Default: the accent.
 * @cssprop --score-cam-radius - Radius of corners.
 * @cssprop --score-cam-font - Font, as in `font`.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: its interface, below, types listeners by their events.
export class ScoreCamElement extends ScoreCamAttributes {
  /**
   * Where the work is done: `true`, in the library's own Web Worker; `false`, on the page's thread; or a worker's address
   * (`createExplainer`). Where a worker cannot be had, it is the page's thread.
   */
  static worker: ExplainerOptions['worker'] = true;

  static readonly observedAttributes: readonly string[] = [
    ...MAKING,
    'alt',
    'class',
    'target-class',
    'opacity',
    'colour-map',
    'loading',
    'reveal',
    'controls',
    'lang',
  ];

  #view: View | undefined;
  #state: State = WAITING;
  #running: { readonly stop: AbortController; readonly result: Promise<Explanation> } | undefined;
  /** As the run ended, before another class was asked for. */
  #first: Explanation | undefined;
  #lease: Lease | undefined;
  #facts: ModelFacts | undefined;
  /** The model and its form; whether it is large, once that is known. */
  #model = '';
  #large: boolean | undefined;
  /** What is explained, by what. */
  #subject = '';
  /** Counts the files that an `<img>` of the page's has shown. */
  #files = 0;
  /** Whether visitor or page have asked for an explanation. */
  #asked = false;
  #seen = false;
  #sight: IntersectionObserver | undefined;
  #isScheduled = false;
  /** Counts choices of a class: the last one counts. */
  #choices = 0;
  #language = 'en';
  #ofLanguage: Strings = en;
  #ownStrings: Partial<Strings> | undefined;
  #strings: Strings = en;

  /** Texts in the place of the element's own, each by its name. */
  get strings(): Strings {
    return this.#strings;
  }
  set strings(value: Partial<Strings>) {
    this.#ownStrings = value;
    this.#takeStrings();
  }

  /** What is shown; undefined before the first, a preview while it is being made. */
  get explanation(): Explanation | undefined {
    return this.#state.explanation;
  }

  /** The map that is shown: height x width values from 0 to 1, row by row. */
  get map(): Float32Array | undefined {
    return this.explanation?.map.data;
  }

  /**
   * Explains the picture, whatever `reveal` and `loading` say; what is explained already is not done again.
   * @throws ScoreCamError as the library does; an `AbortError` if `cancel()` or another picture ends it
   */
  async explain(): Promise<Explanation> {
    this.#asked = true;
    this.#update();
    if (this.#running) return this.#running.result;
    return this.#first ?? this.#run();
  }

  /** Ends what is under way. */
  cancel(): void {
    if (!this.#running) return;
    this.#stop();
    // A network that is not there yet is not fetched any further.
    if (!this.#facts) this.#giveBack();
    this.#show({ ...WAITING, phase: 'cancelled' });
  }

  /**
   * The picture at its own size with the heat map over it.
   * @throws ScoreCamError `option` before there is an explanation; `image` if the picture may not be read
   */
  async toBlob(type = 'image/png', quality?: number): Promise<Blob> {
    const canvas = this.#composed();
    const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, type, quality));
    if (blob) return blob;
    const { width, height } = canvas;
    throw new ScoreCamError(
      'image',
      `This browser cannot make a file of ${width}x${height} pixels: take a smaller picture.`,
    );
  }

  /**
   * The same as a `data:` address, at once.
   * @throws ScoreCamError as {@link toBlob}
   */
  toDataURL(type = 'image/png', quality?: number): string {
    return this.#composed().toDataURL(type, quality);
  }

  /** @internal */
  connectedCallback(): void {
    if (!this.#view) this.#build();
    this.#sight ??= new IntersectionObserver(
      (entries) => {
        this.#seen = entries.at(-1)?.isIntersecting ?? false;
        this.#schedule();
      },
      { rootMargin: '25%' },
    );
    this.#sight.observe(this);
    void this.#speak();
    this.#schedule();
  }

  /** @internal */
  disconnectedCallback(): void {
    // One that is moved is connected again at once, and has lost nothing.
    setTimeout(() => {
      if (!this.isConnected) this.#leave();
    });
  }

  /** @internal */
  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (before === after) return;
    if (name === 'lang') void this.#speak();
    if (name === 'class' || name === 'target-class') this.#retarget();
    this.#schedule();
  }

  #build(): void {
    this.#view = new View(this.attachShadow({ mode: 'open' }), {
      approach: () => void this.#prepareIfSmall(),
      explain: () => void this.explain().catch(() => {}),
      cancel: () => this.cancel(),
      choose: (index) => void this.#choose(index),
      fade: (opacity) => {
        this.opacity = opacity;
      },
      download: () => this.#download(),
    });
    const { own } = this.#view;
    own.addEventListener('load', () => this.#schedule());
    own.addEventListener('error', () => {
      if (own.crossOrigin === null || this.src === null) return;
      // Perhaps it may be shown, if not read.
      own.crossOrigin = null;
      own.src = this.src;
    });
    // Files of the page's own <img>: their events do not bubble, but come by on their way down.
    this.addEventListener('load', ({ target }) => this.#onFile(target), { capture: true });
    this.shadowRoot?.addEventListener('slotchange', () => this.#onFile(this.#view?.picture));
    // What a page has set before this class was there.
    for (const name of PROPERTIES) {
      if (!Object.hasOwn(this, name)) continue;
      const value = this[name];
      delete (this as Partial<Record<typeof name, unknown>>)[name];
      Object.assign(this, { [name]: value });
    }
  }

  #onFile(target: EventTarget | null | undefined): void {
    if (!(target instanceof HTMLImageElement)) return;
    this.#files++;
    this.#schedule();
  }

  /** Once for all that is changed in one go. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#update();
    });
  }

  /** Brings what is done to what is asked for. */
  #update(): void {
    if (!this.#view || !this.isConnected) return;
    this.#show({});
    const subject = this.#subjectNow();
    if (subject !== this.#subject) this.#begin(subject);
    const { phase } = this.#state;
    if (subject === '' || this.#running || phase === 'explained' || phase === 'unsupported') return;
    // What ended otherwise waits for the visitor.
    const isOver = phase === 'cancelled' || phase === 'failed';
    const reveal = this.reveal ?? (isOver ? undefined : this.#usualReveal());
    const isDue = reveal === 'auto' && !isOver && (this.#seen || this.loading === 'eager');
    // Errors are told by the element itself.
    if (this.#asked || isDue || !('gpu' in navigator)) this.#run().catch(() => {});
    else if (!isOver) {
      this.#show({ phase: reveal === 'interaction' ? 'asking' : 'waiting' });
      if (this.loading === 'eager' && reveal && reveal !== 'auto') this.#prepare();
    }
  }

  /** Whoever points at the button is about to ask. */
  async #prepareIfSmall(): Promise<void> {
    const model = this.#model;
    const large = this.#large ?? (await isLarge(this.#address));
    if (!large && this.isConnected && model === this.#model) this.#prepare();
  }

  /** Loads the model, so that what is asked for later begins at once. What goes wrong is told then. */
  #prepare(): void {
    if (this.#lease || !('gpu' in navigator)) return;
    this.#loaded().catch(() => {});
  }

  /** What is to be explained by what; empty without a picture. */
  #subjectNow(): string {
    const picture = this.#view?.picture;
    const address = this.src ?? (picture?.currentSrc || picture?.src);
    if (!address) return '';
    const files = this.src === null ? this.#files : 0;
    return JSON.stringify([address, files, ...MAKING.map((name) => this.getAttribute(name))]);
  }

  /** Something else is to be explained. */
  #begin(subject: string): void {
    this.#stop();
    this.#subject = subject;
    this.#first = undefined;
    const model = JSON.stringify([this.model, this.dtype]);
    if (model !== this.#model) {
      this.#giveBack();
      this.#model = model;
      this.#large = undefined;
    }
    // Who has had a network fetched for one picture has it for the next.
    if (!this.#facts || this.reveal === 'manual') this.#asked = false;
    this.#show(WAITING);
  }

  /** Undefined until it is known whether the model is large. */
  #usualReveal(): 'auto' | 'interaction' | undefined {
    if (this.#large !== undefined) return this.#large ? 'interaction' : 'auto';
    const model = this.#model;
    void isLarge(this.#address).then((large) => {
      if (model !== this.#model || this.#large === large) return;
      this.#large = large;
      this.#schedule();
    });
    return undefined;
  }

  get #address(): string {
    return this.model?.trim() || embeddedModel();
  }

  #run(): Promise<Explanation> {
    const stop = new AbortController();
    const running = { stop, result: this.#work(stop.signal) };
    this.#running = running;
    running.result.catch((error: unknown) => {
      if (this.#running !== running) return;
      this.#running = undefined;
      this.#fail(error);
    });
    return running.result;
  }

  async #work(signal: AbortSignal): Promise<Explanation> {
    // After whoever called has noted that this runs.
    await undefined;
    if ('gpu' in navigator) this.#show({ ...WAITING, phase: 'loading' });
    const { explainer, run } = await this.#loaded(signal);
    const picture = this.#view?.picture;
    if (!picture) {
      throw new ScoreCamError(
        'image',
        'There is no picture: put an <img> into <score-cam>, or give it an attribute src.',
      );
    }
    const wanted = this.#wantedClass();
    const explanation = await run(() => {
      signal.throwIfAborted();
      this.#show({ ...WAITING, phase: 'looking' });
      return explainer.explain(picture, {
        method: this.method ?? undefined,
        layer: this.layer?.split(',').map((name) => name.trim()),
        class: wanted,
        signal,
        onProgress: (progress) => this.#tell(progress),
        onPreview: (preview) => {
          this.#show({ explanation: preview });
          this.#dispatch('preview', preview);
        },
      });
    });
    signal.throwIfAborted();
    this.#running = undefined;
    this.#first = explanation;
    this.#show({ phase: 'explained', explanation, progress: undefined });
    this.#dispatch('explain', explanation);
    if (this.#wantedClass() !== wanted) this.#retarget();
    return explanation;
  }

  async #loaded(signal?: AbortSignal): Promise<{ explainer: Explainer; run: Lease['run'] }> {
    const { worker } = this.constructor as typeof ScoreCamElement;
    const dtype = this.dtype ?? undefined;
    const method = this.method ?? 'score-cam';
    // One that there is not is refused when it is to explain.
    const prepare = method in METHODS ? method : undefined;
    this.#lease ??= lease({ model: this.#address, dtype, worker, prepare }, (progress) =>
      this.#tell(progress),
    );
    const held = this.#lease;
    try {
      const explainer = await held.explainer;
      signal?.throwIfAborted();
      if (this.#lease === held && this.#facts !== explainer.model) {
        this.#facts = explainer.model;
        this.#dispatch('load', explainer.model);
      }
      return { explainer, run: held.run };
    } catch (error) {
      signal?.throwIfAborted();
      if (this.#lease === held) this.#giveBack();
      throw error;
    }
  }

  /** As the library takes it. */
  #wantedClass(): string | number {
    const labels = this.#facts?.labels ?? [];
    const { targetClass } = this;
    if (targetClass !== null) {
      const isIndex = /^\d+$/.test(targetClass) && !labels.includes(targetClass);
      return isIndex ? Number(targetClass) : targetClass;
    }
    const own = this.className.trim().toLowerCase();
    return labels.find((label) => label.toLowerCase() === own) ?? 'auto';
  }

  /** Shows the class that is asked for by now. */
  #retarget(): void {
    const wanted = this.#wantedClass();
    const likeliest = this.#first?.top[0]?.index;
    if (likeliest !== undefined) void this.#choose(wanted === 'auto' ? likeliest : wanted);
  }

  /** Another class of the same run: no pass is run again. */
  async #choose(wanted: string | number): Promise<void> {
    const first = this.#first;
    const choice = ++this.#choices;
    const isLast = (): boolean => this.#first === first && this.#choices === choice;
    try {
      const explanation = await first?.forClass(wanted);
      if (!explanation || !isLast()) return;
      const before = this.explanation?.class.index;
      this.#show({ phase: 'explained', explanation, problem: undefined });
      if (explanation.class.index !== before) this.#dispatch('classchange', explanation.class);
    } catch (error) {
      if (isLast()) this.#fail(error);
    }
  }

  #tell(progress: Progress): void {
    if (!this.#running) return;
    this.#show({ progress });
    this.#dispatch('progress', progress);
  }

  #fail(error: unknown): void {
    const code = error instanceof ScoreCamError ? error.code : undefined;
    const message = error instanceof Error ? error.message : String(error);
    const isHopeless = code === 'no-webgpu' || code === 'no-adapter';
    const problem = [code && this.#strings.errors[code], message].filter(Boolean).join(' ');
    this.#asked = false;
    this.#show({ phase: isHopeless ? 'unsupported' : 'failed', problem, progress: undefined });
    this.#dispatch('error', { code, message, error });
  }

  #stop(): void {
    const running = this.#running;
    this.#running = undefined;
    this.#asked = false;
    running?.stop.abort();
  }

  #giveBack(): void {
    this.#lease?.release();
    this.#lease = undefined;
    this.#facts = undefined;
  }

  #leave(): void {
    this.#sight?.disconnect();
    this.#stop();
    this.#giveBack();
    this.#subject = '';
    this.#first = undefined;
    this.#show(WAITING);
  }

  #show(change: Partial<State>): void {
    this.#state = { ...this.#state, ...change };
    this.#view?.render({
      ...this.#state,
      strings: this.#strings,
      lang: this.#language,
      src: this.src,
      alt: this.alt ?? '',
      controls: this.controls,
      opacity: this.opacity,
      colourMap: this.colourMap,
      large: this.#large ?? false,
      resize: this.#facts?.input.resize ?? 'cover',
    });
  }

  #dispatch<Name extends keyof ScoreCamEventMap>(
    name: Name,
    detail: ScoreCamEventMap[Name]['detail'],
  ): void {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  #composed(): HTMLCanvasElement {
    const view = this.#view;
    if (!view?.picture || !this.explanation) {
      throw new ScoreCamError(
        'option',
        "Nothing is explained yet: wait for the event 'explain', or for explain().",
      );
    }
    const resize = this.#facts?.input.resize ?? 'cover';
    return composed(view.picture, view.heat, this.opacity, resize);
  }

  #download(): void {
    try {
      const name = `${this.explanation?.class.label ?? ''} ${this.alt ?? ''}`.trim();
      const file = `score-cam ${name}`.replace(/[^\p{L}\p{N}]+/gu, '-').slice(0, 80);
      make('a', { href: this.toDataURL(), download: `${file}.png` }).click();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Takes the language of the page here, if it is one that there are texts in. */
  async #speak(): Promise<void> {
    const page = this.closest('[lang]')?.getAttribute('lang') || 'en';
    const isKorean = /^ko\b/i.test(page);
    const texts = isKorean ? (await import('./strings/ko')).ko : en;
    this.#ofLanguage = texts;
    this.#language = texts === en ? 'en' : 'ko';
    this.#takeStrings();
  }

  #takeStrings(): void {
    this.#strings = { ...this.#ofLanguage, ...this.#ownStrings };
    this.#schedule();
  }
}

type Listener<Name extends keyof ScoreCamEventMap> = (
  this: ScoreCamElement,
  event: ScoreCamEventMap[Name],
) => unknown;

export interface ScoreCamElement {
  addEventListener<Name extends keyof ScoreCamEventMap>(
    type: Name,
    listener: Listener<Name>,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<Name extends keyof ScoreCamEventMap>(
    type: Name,
    listener: Listener<Name>,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | EventListenerOptions,
  ): void;
}
