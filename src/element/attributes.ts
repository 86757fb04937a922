import type { Method, WeightDtype } from '../index';
import type { ColourMapName } from './heat-map';

/** On a server there is no DOM, and nothing to show; the class can be imported all the same. */
const Base = (globalThis.HTMLElement ?? class {}) as typeof HTMLElement;

const COLOUR_MAPS = ['turbo', 'viridis', 'magma', 'grey', 'jet'] as const satisfies ColourMapName[];

/** Properties that a page may set before the class is there. */
export const PROPERTIES = [
  'src',
  'alt',
  'model',
  'dtype',
  'method',
  'layer',
  'targetClass',
  'opacity',
  'colourMap',
  'loading',
  'reveal',
  'controls',
] as const;

/** The attributes of `<score-cam>` as properties: each reflects the other, and what an attribute may not be is its default. */
export class ScoreCamAttributes extends Base {
  /** Address of the picture. Without it, the `<img>` inside is explained. */
  get src(): string | null {
    return this.getAttribute('src');
  }
  set src(value: string | null) {
    this.#reflect('src', value);
  }

  /** What the picture shows, for those who do not see it. */
  get alt(): string | null {
    return this.getAttribute('alt');
  }
  set alt(value: string | null) {
    this.#reflect('alt', value);
  }

  /** Address of a model's manifest, or a preset such as `vgg16`. Default: the embedded model, which knows drawn scenes. */
  get model(): string | null {
    return this.getAttribute('model');
  }
  set model(value: string | null) {
    this.#reflect('model', value);
  }

  /** Form of the weights on the GPU: `f32`, `f16` or `int8`. */
  get dtype(): WeightDtype | null {
    return this.getAttribute('dtype') as WeightDtype | null;
  }
  set dtype(value: WeightDtype | null) {
    this.#reflect('dtype', value);
  }

  /** Method of docs/methods.md. Default `score-cam`. */
  get method(): Method | null {
    return this.getAttribute('method') as Method | null;
  }
  set method(value: Method | null) {
    this.#reflect('method', value);
  }

  /** Target layer; several are separated by commas. Default: the model's. */
  get layer(): string | null {
    return this.getAttribute('layer');
  }
  set layer(value: string | null) {
    this.#reflect('layer', value);
  }

  /**
   * The class to be explained, by label or index. Default: the likeliest. An attribute `class` does the same where all of it
   * is the label of a class of the model; anything else in it is the page's, for its styles.
   */
  get targetClass(): string | null {
    return this.getAttribute('target-class');
  }
  set targetClass(value: string | number | null) {
    this.#reflect('target-class', value);
  }

  /** Of the heat map over the picture, from 0 to 1. Default 0.5. */
  get opacity(): number {
    const given = this.getAttribute('opacity');
    const value = given === null || given.trim() === '' ? Number.NaN : Number(given);
    return Number.isNaN(value) ? 0.5 : Math.min(1, Math.max(0, value));
  }
  set opacity(value: number) {
    this.#reflect('opacity', value);
  }

  /**
   * Colours of the heat map: `turbo` (the default), `viridis`, `magma`, `grey` or `jet`.
   */
  get colourMap(): ColourMapName {
    return oneOf(COLOUR_MAPS, this.getAttribute('colour-map')) ?? 'turbo';
  }
  set colourMap(value: ColourMapName) {
    this.#reflect('colour-map', value);
  }

  /**
   * `lazy` (the default): nothing is explained before it is nearly in sight; `eager`: at once. Where `reveal` waits for visitor
   * or page, `eager` loads the model meanwhile.
   */
  get loading(): 'lazy' | 'eager' {
    return oneOf(['eager'], this.getAttribute('loading')) ?? 'lazy';
  }
  set loading(value: 'lazy' | 'eager') {
    this.#reflect('loading', value);
  }

  /**
   * What begins: `auto`, nobody need ask; `interaction`, the visitor's click; `manual`, the page's call of `explain()`.
   * Default: `auto`, and `interaction` for large models, so that nobody downloads one by scrolling.
   */
  get reveal(): 'auto' | 'interaction' | 'manual' | null {
    return oneOf(['auto', 'interaction', 'manual'], this.getAttribute('reveal')) ?? null;
  }
  set reveal(value: 'auto' | 'interaction' | 'manual' | null) {
    this.#reflect('reveal', value);
  }

  /** Whether list, legend, slider and download are shown. */
  get controls(): boolean {
    return this.hasAttribute('controls');
  }
  set controls(value: boolean) {
    this.toggleAttribute('controls', value);
  }

  #reflect(name: string, value: string | number | null | undefined): void {
    if (value === null || value === undefined) this.removeAttribute(name);
    else this.setAttribute(name, String(value));
  }
}

function oneOf<const Name extends string>(
  names: readonly Name[],
  given: string | null,
): Name | undefined {
  return names.find((name) => name === given);
}
