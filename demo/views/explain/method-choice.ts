import { type Explainer, METHODS, type Method } from '../../../src/index';
import { h } from '../../dom';
import type { State } from '../../state';
import type { Texts } from './wording';

const ALL = Object.keys(METHODS) as readonly Method[];

/** Passes that a method may take for each frame of a camera. */
const CHEAP = 12;

/** Method and layer, kept in the address. */
export class MethodChoice {
  readonly element: HTMLElement;
  private readonly methods: HTMLSelectElement;
  private readonly layers: HTMLSelectElement;
  private readonly note = h('p', { id: 'method-note', class: 'small' });
  private explainer: Explainer | undefined;

  constructor(
    private readonly texts: Texts,
    private readonly state: State,
    onChange: () => void,
  ) {
    const changed = (): void => {
      const { method } = this;
      state.set({ method: method === 'score-cam' ? undefined : method, layer: this.layer });
      this.describe();
      onChange();
    };
    this.methods = h('select', {
      id: 'method',
      'aria-describedby': 'method-note',
      onchange: changed,
    });
    this.layers = h('select', { id: 'layer', disabled: true, onchange: changed });
    this.element = h(
      'div',
      { class: 'group' },
      h(
        'div',
        { class: 'choices' },
        h('label', { for: 'method' }, texts.method),
        this.methods,
        h('label', { for: 'layer' }, texts.layer),
        this.layers,
      ),
      this.note,
    );
    this.list(ALL);
    this.methods.value = state.oneOf('method', ALL) ?? 'score-cam';
  }

  get method(): Method {
    return this.methods.value as Method;
  }

  /** Undefined is the network's usual one. Until there is a network, what the address says. */
  get layer(): string | undefined {
    return (this.explainer ? this.layers.value : this.state.get('layer')) || undefined;
  }

  /** The chosen method if it takes few passes; else Grad-CAM, which takes two. */
  get cheapMethod(): Method {
    const { method } = this;
    const { forward, backward, head } = this.costOf(method);
    return forward + backward + head <= CHEAP ? method : 'grad-cam';
  }

  /** Offers what a network admits. What was chosen stays if it is among that. */
  offer(explainer: Explainer): void {
    const { layer } = this;
    this.explainer = explainer;
    const { texts } = this;
    const { layers, targetLayer, methods } = explainer.model;
    this.list(methods);
    this.layers.replaceChildren(
      new Option(texts.layerUsual(targetLayer), ''),
      ...layers
        .filter(({ name }) => name !== targetLayer)
        .map(
          ({ name, channels, width, height }) =>
            new Option(texts.layerNamed(name, channels, width, height), name),
        ),
    );
    this.layers.value = layers.some(({ name }) => name === layer) ? (layer ?? '') : '';
    this.layers.disabled = false;
    this.describe();
  }

  private list(methods: readonly Method[]): void {
    const { value } = this.methods;
    this.methods.replaceChildren(...methods.map((name) => new Option(METHODS[name].title, name)));
    if (methods.some((name) => name === value)) this.methods.value = value;
  }

  /** What the chosen method does and takes. */
  private describe(): void {
    const { forward, backward, head } = this.costOf(this.method);
    const summary = this.texts.summaryOf(this.method);
    this.note.textContent = this.explainer
      ? this.texts.price(summary, forward, backward, head)
      : `${summary}.`;
  }

  private costOf(method: Method): ReturnType<(typeof METHODS)[Method]['cost']> {
    const { layers = [], targetLayer = '' } = this.explainer?.model ?? {};
    const wanted = this.layer ?? targetLayer;
    const found = layers.find(({ name }) => name === wanted);
    const { channels = 0, height = 0, width = 0 } = found ?? {};
    return METHODS[method].cost({}, { channels, positions: height * width, classes: 1 });
  }
}
