import { type Explainer, type Explanation, METHODS, type Method } from '../../../src/index';
import { h } from '../../dom';
import type { State } from '../../state';
import { Picture } from './picture';
import { errorNodes, type Texts } from './wording';

/** One method's map, or what there is instead. */
interface Panel {
  readonly figure: HTMLElement;
  readonly picture: Picture;
  readonly caption: HTMLElement;
  explanation?: Explanation;
}

/** What it takes to explain the image that is shown by another method. */
export interface Asked {
  readonly explainer: Explainer;
  readonly explanation: Explanation;
  /** The same for other classes of the same image and layer. */
  readonly run: number;
  readonly layer: string | undefined;
}

/** The image that is shown, explained by several methods; which, is kept in the address. */
export class Beside {
  readonly element: HTMLElement;
  private readonly boxes = h('div', { class: 'chips' });
  private readonly grid = h('div', { id: 'beside', class: 'figures' });
  private readonly panels = new Map<Method, Panel>();
  private asked: Asked | undefined;
  private running: AbortController | undefined;

  constructor(
    private readonly texts: Texts,
    private readonly state: State,
    /** Drawn like this one. */
    private readonly main: Pick<Picture, 'opacity' | 'colourMap'>,
  ) {
    this.element = h(
      'section',
      { class: 'beside', 'aria-labelledby': 'beside-heading' },
      h('h2', { id: 'beside-heading' }, texts.beside),
      h('p', { class: 'small' }, texts.besideLead),
      this.boxes,
      this.grid,
    );
  }

  /** Offers what a network admits. */
  offer(methods: readonly Method[]): void {
    const ticked = this.ticked(methods);
    this.boxes.replaceChildren(
      ...methods.map((method) =>
        h(
          'label',
          { class: 'chip' },
          h('input', {
            type: 'checkbox',
            value: method,
            checked: ticked.includes(method),
            onchange: () => this.tick(),
          }),
          METHODS[method].title,
        ),
      ),
    );
  }

  /** Explains by the methods that are ticked, from this on; undefined while there is nothing to compare with. */
  async show(asked: Asked | undefined): Promise<void> {
    this.running?.abort();
    const isSameRun = asked !== undefined && this.asked?.run === asked.run;
    if (!isSameRun) this.clear();
    this.asked = asked;
    if (!asked) return;
    const controller = new AbortController();
    this.running = controller;
    const { signal } = controller;
    const methods = this.ticked(asked.explainer.model.methods);
    for (const [method, { figure, picture }] of this.panels) {
      if (methods.includes(method)) continue;
      figure.remove();
      picture.dispose();
      this.panels.delete(method);
    }
    const panels = methods.map((method) => [method, this.panelOf(method)] as const);
    this.grid.replaceChildren(...panels.map(([, { figure }]) => figure));
    for (const [method, panel] of panels) {
      if (signal.aborted) return;
      await this.fill(panel, method, asked, signal);
    }
  }

  /** Draws all maps as the main one is drawn. */
  async redraw(): Promise<void> {
    const { opacity, colourMap } = this.main;
    for (const { picture } of this.panels.values()) {
      picture.opacity = opacity;
      if (picture.colourMap !== colourMap) await picture.recolour(colourMap);
    }
  }

  dispose(): void {
    this.running?.abort();
    this.clear();
  }

  private clear(): void {
    for (const { picture } of this.panels.values()) picture.dispose();
    this.panels.clear();
    this.grid.replaceChildren();
  }

  private tick(): void {
    const boxes = [...this.boxes.querySelectorAll<HTMLInputElement>('input:checked')];
    const methods = boxes.map(({ value }) => value).join(' ');
    this.state.set({ beside: methods || undefined });
    void this.show(this.asked);
  }

  private ticked(methods: readonly Method[]): readonly Method[] {
    const asked = this.state.get('beside')?.split(' ') ?? [];
    return methods.filter((method) => asked.includes(method));
  }

  private panelOf(method: Method): Panel {
    const known = this.panels.get(method);
    if (known) return known;
    const picture = new Picture(this.main.opacity, this.main.colourMap);
    picture.caption(METHODS[method].title);
    const caption = h('span', { class: 'small' }, this.texts.besideWaits);
    const figure = h(
      'figure',
      {},
      picture.canvas,
      h('figcaption', {}, h('strong', {}, METHODS[method].title), ' ', caption),
    );
    const panel = { figure, picture, caption };
    this.panels.set(method, panel);
    return panel;
  }

  private async fill(
    panel: Panel,
    method: Method,
    { explainer, explanation, layer }: Asked,
    signal: AbortSignal,
  ): Promise<void> {
    const { index, label } = explanation.class;
    const { texts } = this;
    try {
      const known = panel.explanation;
      const image = explanation.image;
      const found = known
        ? await known.forClass(index)
        : await explainer.explain(image, {
            method,
            class: index,
            signal,
            layer: METHODS[method].usesLayer ? layer : undefined,
          });
      signal.throwIfAborted();
      panel.explanation ??= found;
      await panel.picture.show(found, await createImageBitmap(image), explainer.model.input);
      panel.picture.caption(`${METHODS[method].title}: ${texts.caption(label)}`);
      panel.caption.textContent = texts.besideDone(milliseconds(panel.explanation.timings.total));
    } catch (error) {
      if (!signal.aborted) panel.caption.replaceChildren(...errorNodes(error, texts));
    }
  }
}

const milliseconds = (time: number): string =>
  time < 1000 ? `${Math.round(time)} ms` : `${(time / 1000).toFixed(1)} s`;
