/** An image in, a heat map out: all through the library's public API. */
import { percent } from '../../cli/words';
import { type Explainer, type Explanation, METHODS, type Progress } from '../../src/index';
import { h } from '../dom';
import { FOR_PHOTOGRAPHS, networkNamed } from '../networks';
import type { Choice } from '../open-network';
import type { Context, Mounted } from '../view';
import { Beside } from './explain/beside';
import { Camera } from './explain/camera';
import { ClassList } from './explain/classes';
import { evenness, NEARLY_EVEN } from './explain/doubt';
import { takeImages } from './explain/intake';
import { lookControls, lookOf } from './explain/look';
import { MethodChoice } from './explain/method-choice';
import { NetworkPanel } from './explain/network-panel';
import { Note } from './explain/note';
import { Picture } from './explain/picture';
import { costText, factsText, megabytes, type Texts } from './explain/wording';
import { unlessAborted, Work } from './explain/work';

export function mount(root: HTMLElement, context: Context<Texts>): Mounted {
  const view = new ExplainView(context);
  root.append(...view.elements);
  view.start();
  return view;
}

class ExplainView implements Mounted {
  readonly elements: readonly HTMLElement[];
  /** Ends with the view. */
  private readonly life = new AbortController();
  private readonly work: Work;
  private readonly picture: Picture;
  private readonly classes = new ClassList((index) => void this.choose(index));
  private readonly method: MethodChoice;
  private readonly network: NetworkPanel;
  private readonly beside: Beside;
  private readonly drop: HTMLElement;
  private readonly hint: HTMLElement;
  private readonly result: HTMLElement;
  private readonly note = new Note((choice) => void this.change(choice));
  private readonly facts = h('p', { id: 'facts', class: 'small' });
  private readonly file: HTMLInputElement;
  private readonly photograph: HTMLInputElement;
  private readonly sample: HTMLButtonElement;
  private readonly cameraButton: HTMLButtonElement;
  private readonly still: HTMLButtonElement;
  private readonly rate = h('p', { id: 'rate', class: 'small', hidden: true });
  private camera: Camera | undefined;
  /** What is shown or being worked on; another method explains it anew. */
  private image: Blob | undefined;
  private explanation: Explanation | undefined;
  /** Of the network that is loaded. */
  private input: Explainer['model']['input'] | undefined;
  /** Of explanations: another number is another image, method or layer. */
  private run = 0;

  constructor(private readonly context: Context<Texts>) {
    const { texts, state, models } = context;
    const { opacity, colourMap } = lookOf(state);
    this.picture = new Picture(opacity, colourMap, { id: 'canvas' });
    this.picture.caption(texts.noImage);
    this.work = new Work(texts, models, () => this.close());
    this.method = new MethodChoice(texts, state, () => this.methodChanged());
    this.network = new NetworkPanel(texts, models.choice, (choice) => void this.change(choice));
    this.beside = new Beside(texts, state, this.picture);
    const look = lookControls(
      texts,
      state,
      this.picture,
      () => this.beside.redraw(),
      (error) => this.work.fail(error),
    );
    this.hint = h('p', { id: 'hint', class: 'hint' }, texts.hint);
    this.drop = h('div', { id: 'drop', class: 'drop' }, this.picture.canvas, this.hint);
    this.result = h(
      'fieldset',
      { id: 'result', hidden: true },
      h('legend', {}, texts.classes),
      this.classes.element,
    );
    this.file = this.fileInput('file');
    this.photograph = this.fileInput('photograph', { capture: 'environment' });
    const button = (id: string, text: string, onclick: () => void): HTMLButtonElement =>
      h('button', { id, type: 'button', onclick }, text);
    this.sample = button('sample', texts.sample, () => void this.useSample());
    this.cameraButton = button('camera', texts.camera, () => void this.toggleCamera());
    this.still = button('still', texts.still, () => void this.keepFrame());
    this.still.hidden = true;
    this.elements = [
      h('header', {}, h('h1', {}, texts.heading), h('p', {}, texts.lead)),
      h(
        'div',
        { class: 'explain' },
        h('section', { class: 'stage', 'aria-label': texts.image }, this.drop, ...look),
        h(
          'section',
          { class: 'panel', 'aria-label': texts.controls },
          h(
            'div',
            { class: 'actions' },
            this.file,
            h('label', { for: 'file', class: 'button primary' }, texts.choose),
            this.photograph,
            h('label', { for: 'photograph', class: 'button' }, texts.photograph),
            this.cameraButton,
            this.still,
            this.sample,
          ),
          h('div', { class: 'group' }, this.work.status, this.rate, this.work.again),
          this.work.working,
          this.note.element,
          this.result,
          this.method.element,
          this.network.element,
          this.facts,
        ),
      ),
      this.beside.element,
    ];
  }

  start(): void {
    const { signal } = this.life;
    const { models, texts } = this.context;
    takeImages(this.drop, (image) => this.take(image), signal);
    document.addEventListener(
      'visibilitychange',
      () => {
        if (document.hidden && this.camera) this.stopCamera(texts.cameraHidden);
      },
      { signal },
    );
    const stopHearing = models.onChange((explainer) => this.describe(explainer));
    signal.addEventListener('abort', stopHearing);
    this.askForWanted();
    void this.explainSubject();
  }

  dispose(): void {
    this.life.abort();
    this.camera?.stop();
    this.work.dispose();
    this.beside.dispose();
    this.picture.dispose();
  }

  /** The sample, or what another view has shown. */
  private async explainSubject(): Promise<void> {
    const { subject, models, texts } = this.context;
    // A network that is there already, from another view.
    void models.explainer().then(
      (explainer) => this.describe(explainer),
      () => {},
    );
    try {
      const image = await subject.image();
      if (!this.life.signal.aborted && !this.image) await this.explain(image);
    } catch (error) {
      if (!this.life.signal.aborted) this.work.say(`${texts.sampleMissing} ${error}`);
    }
  }

  /** Somebody's own image. */
  private take(image: Blob): void {
    if (this.file.disabled) return;
    this.stopCamera();
    this.context.subject.put(image);
    this.context.state.set({ class: undefined });
    void this.explain(image);
  }

  private async useSample(): Promise<void> {
    const { subject, state, texts } = this.context;
    this.stopCamera();
    subject.put(undefined);
    state.set({ class: undefined });
    try {
      await this.explain(await subject.image());
    } catch (error) {
      this.work.say(`${texts.sampleMissing} ${error}`);
    }
  }

  private methodChanged(): void {
    if (this.image && !this.camera) void this.explain(this.image);
  }

  /** Explains an image. One that comes while another is at work takes its place. */
  private explain(image: Blob): Promise<void> {
    const { texts, models } = this.context;
    const { choice } = models;
    this.image = image;
    this.explanation = undefined;
    const run = ++this.run;
    void this.beside.show(undefined);
    return this.work.start(
      this.isLoaded ? texts.looking : texts.loading(choice.model),
      async (signal) => {
        const loading = models.explainer();
        // While the network loads.
        await this.preview(image, signal);
        const explainer = await unlessAborted(loading, signal);
        this.work.say(texts.looking);
        const answer = await explainer.classify(image, { signal });
        this.doubt(
          answer.map(({ probability }) => probability),
          explainer,
        );
        const wanted = this.wantedClass(explainer);
        this.classes.show(answer.slice(0, 5), wanted ?? answer[0]?.index);
        this.result.hidden = false;
        const { method, layer } = this.method;
        const explanation = await explainer.explain(image, {
          method,
          layer: METHODS[method].usesLayer ? layer : undefined,
          class: wanted,
          signal,
          onProgress: (progress: Progress) => {
            if (!signal.aborted) this.work.showProgress(progress);
          },
          onPreview: (soFar: Explanation) => {
            if (!signal.aborted) void this.showPreview(soFar);
          },
        });
        signal.throwIfAborted();
        await this.show(explanation, signal);
        void this.beside.show({ explainer, explanation, run, layer });
      },
    );
  }

  private get isLoaded(): boolean {
    return this.facts.textContent !== '';
  }

  /** The class that the address names, if this network has one of that number. */
  private wantedClass({ model }: Explainer): number | undefined {
    const index = this.context.state.number('class', 0, model.labels.length - 1);
    return Number.isInteger(index) ? index : undefined;
  }

  /** The image while the network works on it. What is wrong with it, explaining it will say. */
  private async preview(image: Blob, signal: AbortSignal): Promise<void> {
    const bitmap = await createImageBitmap(image).catch(() => undefined);
    if (!bitmap) return;
    if (signal.aborted) return bitmap.close();
    this.picture.showImage(bitmap, this.input);
    this.picture.caption(this.context.texts.notYet);
    this.hasImage();
  }

  private hasImage(): void {
    this.drop.classList.add('full');
    this.hint.hidden = true;
  }

  /** Says what the network's answer is worth, if little. */
  private doubt(probabilities: readonly number[], explainer: Explainer): void {
    const { texts, subject } = this.context;
    const isEven = evenness(probabilities) > NEARLY_EVEN;
    const { knowsDrawings } = this;
    if (isEven) {
      const share = percent(Math.max(...probabilities));
      this.tell(texts.doubtEven(share, explainer.model.labels.length), knowsDrawings);
    } else if (knowsDrawings && !subject.isSample) {
      this.tell(texts.doubtDrawings, true);
    } else {
      this.askForWanted();
    }
  }

  private get knowsDrawings(): boolean {
    return networkNamed(this.context.models.choice.model)?.pictures === 'drawings';
  }

  /** @param offers whether a network that knows photographs is a click away */
  private tell(text: string, offers: boolean): void {
    const network = networkNamed(FOR_PHOTOGRAPHS);
    const { texts } = this.context;
    const choice = { model: FOR_PHOTOGRAPHS, dtype: network?.dtypes[0] };
    this.note.say(
      text,
      offers && network
        ? { text: texts.offer(network.name, megabytes(network.bytes)), choice }
        : undefined,
    );
  }

  /** A link may ask for a large network: nobody downloads that without having been asked. */
  private askForWanted(): void {
    const { texts, models, state } = this.context;
    const { wanted } = models;
    const network = networkNamed(wanted?.model);
    if (!wanted || !network || state.get('network') !== network.name) {
      this.note.hide();
      return;
    }
    const size = megabytes(network.bytes);
    this.note.say(texts.wanted(network.name, size), {
      text: texts.loadNamed(network.name, size),
      choice: wanted,
    });
  }

  /** Puts another network in the place of the one at work, which stays if that fails. */
  private change(choice: Choice): Promise<void> {
    const { texts, models } = this.context;
    this.stopCamera();
    return this.work.start(texts.loading(choice.model), async (signal) => {
      await models.change(choice, signal);
      this.context.state.set({ class: undefined, layer: undefined });
      this.note.hide();
      this.open();
      this.work.say(texts.ready);
      if (this.image) void this.explain(this.image);
    });
  }

  /** What is said of a network, and offered by it. */
  private describe(explainer: Explainer): void {
    if (this.life.signal.aborted) return;
    const { texts, models } = this.context;
    this.facts.textContent = factsText(explainer, texts);
    this.input = explainer.model.input;
    this.method.offer(explainer);
    this.beside.offer(explainer.model.methods);
    this.network.show(models.choice);
  }

  private async choose(index: number): Promise<void> {
    const isLikeliest = index === this.explanation?.top[0]?.index;
    this.context.state.set({ class: isLikeliest ? undefined : String(index) });
    const { explanation, image, run } = this;
    // A camera's next frame goes by the address.
    if (this.camera) return;
    if (!explanation) {
      if (image) void this.explain(image);
      return;
    }
    try {
      const other = await explanation.forClass(index);
      if (this.run !== run) return;
      await this.show(other, this.life.signal);
      const { layer } = this.method;
      void this.beside.show({
        explainer: await this.context.models.explainer(),
        explanation: other,
        run,
        layer,
      });
    } catch (error) {
      if (this.run === run) this.work.fail(error);
    }
  }

  private async show(explanation: Explanation, signal: AbortSignal): Promise<void> {
    const { texts } = this.context;
    await this.picture.show(explanation);
    if (signal.aborted) return;
    this.explanation = explanation;
    const { label, index, probability } = explanation.class;
    this.classes.show(explanation.top, index);
    this.picture.caption(texts.caption(label));
    this.work.say(
      explanation.map.flat
        ? texts.flat(label)
        : texts.here(label, percent(probability), costText(explanation, texts)),
    );
  }

  /** What the passes so far say; the most telling maps come first, so it soon looks like the end. */
  private async showPreview(soFar: Explanation): Promise<void> {
    const { texts } = this.context;
    const { run } = this;
    const isShown = await this.picture.show(soFar).catch(() => false);
    if (!isShown || this.run !== run || this.explanation) return;
    const { label } = soFar.class;
    const { evaluated, total, constant } = soFar.channels;
    this.picture.caption(texts.captionFirst(label, evaluated, total - constant));
    // The same words each time: a screen reader says them once.
    this.work.say(texts.first(label));
  }

  private async toggleCamera(): Promise<void> {
    const { texts } = this.context;
    if (this.camera) return this.stopCamera(texts.cameraOff);
    try {
      const camera = await Camera.open();
      if (this.life.signal.aborted || this.camera) return camera.stop();
      this.camera = camera;
    } catch (error) {
      const why = error instanceof DOMException ? error.message || error.name : String(error);
      this.work.say(texts.cameraRefused(why.replace(/\.?$/, '.')));
      this.work.status.classList.add('error');
      return;
    }
    this.run++;
    this.explanation = undefined;
    void this.beside.show(undefined);
    this.note.hide();
    if (this.knowsDrawings) this.tell(texts.doubtDrawings, true);
    this.cameraButton.textContent = texts.cameraStop;
    this.still.hidden = false;
    this.rate.hidden = false;
    const { camera } = this;
    await this.work.start(texts.loading(this.context.models.choice.model), async (signal) => {
      signal.addEventListener('abort', () => camera.stop());
      const explainer = await unlessAborted(this.context.models.explainer(), signal);
      this.work.working.hidden = true;
      this.work.say(texts.cameraOn(METHODS[this.method.cheapMethod].title));
      await camera.run((frame, stop) => this.explainFrame(explainer, frame, stop));
    });
    if (this.camera === camera) this.stopCamera();
  }

  private async explainFrame(
    explainer: Explainer,
    frame: ImageBitmap,
    signal: AbortSignal,
  ): Promise<void> {
    const { texts } = this.context;
    const { layer } = this.method;
    const method = this.method.cheapMethod;
    const explanation = await explainer
      .explain(frame, {
        method,
        layer: METHODS[method].usesLayer ? layer : undefined,
        class: this.wantedClass(explainer),
        signal,
      })
      .catch((error) => {
        frame.close();
        throw error;
      });
    await this.picture.show(explanation, frame, explainer.model.input);
    if (signal.aborted) return;
    this.hasImage();
    this.result.hidden = false;
    this.classes.show(explanation.top, explanation.class.index);
    this.picture.caption(texts.captionLive(explanation.class.label));
    const { title } = METHODS[method];
    const { rate = 0 } = this.camera ?? {};
    if (rate > 0) this.rate.textContent = texts.rate(rate.toFixed(rate < 10 ? 1 : 0), title);
  }

  private stopCamera(why?: string): void {
    const { camera } = this;
    if (!camera) return;
    this.camera = undefined;
    camera.stop();
    this.cameraButton.textContent = this.context.texts.camera;
    this.still.hidden = true;
    this.rate.hidden = true;
    if (why) this.work.say(why);
  }

  /** The camera's image of this moment, explained by the chosen method. */
  private async keepFrame(): Promise<void> {
    const frame = await this.camera?.frame();
    if (!frame) return;
    const canvas = new OffscreenCanvas(frame.width, frame.height);
    canvas.getContext('2d')?.drawImage(frame, 0, 0);
    frame.close();
    this.take(await canvas.convertToBlob());
  }

  private fileInput(id: string, more: Readonly<Record<string, string>> = {}): HTMLInputElement {
    const input = h('input', {
      id,
      class: 'visually-hidden',
      type: 'file',
      accept: 'image/*',
      ...more,
      onchange: () => {
        const [chosen] = input.files ?? [];
        if (chosen) this.take(chosen);
        // Choosing the same file again is a change too.
        input.value = '';
      },
    });
    return input;
  }

  /** Takes no images any more: nothing can be computed here. */
  private close(): void {
    this.setOpen(false);
  }

  private open(): void {
    this.setOpen(true);
  }

  private setOpen(isOpen: boolean): void {
    for (const control of [this.file, this.photograph, this.sample, this.cameraButton]) {
      control.disabled = !isOpen;
    }
  }
}
