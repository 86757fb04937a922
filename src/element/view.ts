import type { ClassScore, Explanation, Progress } from '../index';
import { type ColourMapName, gradient, paint, placeOf } from './heat-map';
import { make } from './make';
import { filled, type Strings } from './strings/strings';
import css from './style.css?inline';

/** What the element is at. `asking` waits for the visitor, `waiting` for the page or for being seen. */
export type Phase =
  | 'waiting'
  | 'asking'
  | 'loading'
  | 'looking'
  | 'explained'
  | 'cancelled'
  | 'failed'
  | 'unsupported';

/** All that is shown, as data. */
export interface Shown {
  readonly phase: Phase;
  readonly strings: Strings;
  /** Language of the strings. */
  readonly lang: string;
  readonly src: string | null;
  readonly alt: string;
  readonly controls: boolean;
  readonly opacity: number;
  readonly colourMap: ColourMapName;
  /** Whether the network takes long to fetch. */
  readonly large: boolean;
  /** How the network crops what it sees. */
  readonly resize: 'cover' | 'stretch';
  /** A preview while the phase is `looking`. */
  readonly explanation: Explanation | undefined;
  readonly progress: Progress | undefined;
  /** What went wrong. */
  readonly problem: string | undefined;
}

/** What a visitor does. */
export interface Actions {
  /** Points at what begins, or has the focus there. */
  approach(): void;
  explain(): void;
  cancel(): void;
  choose(index: number): void;
  fade(opacity: number): void;
  download(): void;
}

/** How far an arrow key goes, as a share of the map; with the shift key, a pixel of it. */
const STEP = 1 / 28;

let sheet: CSSStyleSheet | undefined;

/** One for all elements. Constructed: a page's policy may forbid others. */
function styles(): CSSStyleSheet {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
  }
  return sheet;
}

/** The shadow tree. `render` brings it to what is to be shown; it decides nothing. */
export class View {
  /** The picture of `src`. */
  readonly own = make('img', { part: 'picture', hidden: '' });
  readonly heat = make('canvas', { part: 'heat-map', class: 'heat', role: 'img', hidden: '' });
  private readonly slot = make('slot');
  private readonly value = make('output', { part: 'value', class: 'value', 'aria-hidden': 'true' });
  private readonly point = make(
    'div',
    {
      part: 'point',
      class: 'point',
      role: 'slider',
      tabindex: '0',
      hidden: '',
      'aria-valuemin': '0',
      'aria-valuemax': '1',
    },
    this.value,
  );
  private readonly ask = make('button', { part: 'button explain', class: 'first', type: 'button' });
  private readonly large = make('span', { class: 'large' });
  private readonly poster = make(
    'div',
    { part: 'poster', class: 'poster', hidden: '' },
    make('slot', { name: 'poster' }, make('div', { class: 'ask' }, this.ask, this.large)),
  );
  private readonly bar = make('progress', { part: 'progress-bar' });
  private readonly left = make('span', { class: 'left' });
  private readonly stop = make('button', { part: 'button cancel', type: 'button' });
  private readonly work = make(
    'div',
    { part: 'progress', class: 'progress', hidden: '' },
    make(
      'slot',
      { name: 'progress' },
      make('div', { class: 'work' }, this.bar, this.left, this.stop),
    ),
  );
  private readonly stage = make(
    'div',
    { part: 'stage', class: 'stage' },
    this.own,
    this.slot,
    this.heat,
    this.point,
    this.poster,
    this.work,
  );
  private readonly status = make('p', { part: 'status', class: 'status', role: 'status' });
  private readonly whyNot = make('p');
  private readonly browsers = make('ul');
  private readonly notice = make(
    'div',
    { part: 'no-webgpu', class: 'notice', hidden: '' },
    make('slot', { name: 'no-webgpu' }, this.whyNot, this.browsers),
  );
  private readonly classesName = make('legend');
  private readonly classes = make('fieldset', { part: 'classes' }, this.classesName);
  private readonly mark = make('div', { class: 'mark', hidden: '' });
  private readonly scale = make('div', { part: 'scale', class: 'scale' }, this.mark);
  private readonly least = make('span');
  private readonly most = make('span');
  private readonly opacityName = make('div', { class: 'name' });
  private readonly opacity = make('input', {
    part: 'opacity',
    type: 'range',
    min: '0',
    max: '1',
    step: '0.05',
  });
  private readonly save = make('button', { part: 'button download', type: 'button' });
  private readonly controls = make(
    'div',
    { part: 'controls', class: 'controls', hidden: '' },
    this.classes,
    make(
      'div',
      { part: 'legend' },
      this.scale,
      make('div', { class: 'ends' }, this.least, this.most),
    ),
    make('label', { class: 'slider' }, this.opacityName, this.opacity),
    make('div', {}, this.save),
  );
  private readonly frame = make(
    'div',
    { part: 'frame', class: 'frame' },
    make('div', {}, this.stage, this.status, this.notice),
    this.controls,
  );
  private shown: Shown | undefined;
  /** Where a value is read, in shares of the map. */
  private at = { x: 0.5, y: 0.5 };

  constructor(root: ShadowRoot, actions: Actions) {
    root.adoptedStyleSheets = [styles()];
    root.append(this.frame);
    for (const type of ['pointerenter', 'focusin']) {
      this.poster.addEventListener(type, () => actions.approach());
    }
    this.poster.addEventListener('click', () => actions.explain());
    this.stop.addEventListener('click', () => actions.cancel());
    this.save.addEventListener('click', () => actions.download());
    this.opacity.addEventListener('input', () => actions.fade(this.opacity.valueAsNumber));
    this.classes.addEventListener('change', ({ target }) =>
      actions.choose(Number((target as HTMLInputElement).value)),
    );
    this.stage.addEventListener('pointermove', (event) => this.readAt(event));
    this.stage.addEventListener('pointerleave', () => this.read(false));
    this.point.addEventListener('focus', () => this.read(true));
    this.point.addEventListener('blur', () => this.read(false));
    this.point.addEventListener('keydown', (event) => this.moveBy(event));
  }

  /** The picture that is explained: that of `src`, or else the page's own inside of the element. */
  get picture(): HTMLImageElement | undefined {
    if (this.shown?.src !== null) return this.own;
    for (const element of this.slot.assignedElements()) {
      const found = element instanceof HTMLImageElement ? element : element.querySelector('img');
      if (found) return found;
    }
    return undefined;
  }

  render(next: Shown): void {
    const before = this.shown;
    this.shown = next;
    const { phase, strings, explanation, controls } = next;
    this.renderPicture(next, before);
    if (before?.strings !== strings) this.renderStrings(strings);
    this.poster.hidden = !['asking', 'cancelled', 'failed'].includes(phase);
    set(this.ask, phase === 'failed' ? strings.retry : strings.explain);
    this.large.hidden = !next.large;
    this.renderWork(next);
    this.notice.hidden = phase !== 'unsupported';
    set(this.status, statusOf(next));
    this.status.classList.toggle('error', phase === 'failed');
    // With controls, what was explained is in the list; the sentence is for those who hear it all the same.
    this.controls.hidden = !controls || !explanation;
    this.frame.classList.toggle('wide', !this.controls.hidden);
    if (explanation) this.renderClasses(explanation, next);
    if (this.opacity.valueAsNumber !== next.opacity) this.opacity.valueAsNumber = next.opacity;
  }

  private renderPicture(next: Shown, before: Shown | undefined): void {
    const { src, alt, explanation, colourMap, opacity, resize, strings } = next;
    const { own, heat } = this;
    own.alt = alt;
    if (src !== before?.src) {
      // Pixels of another site can be read where it allows that; where it does not, the picture is shown all the same.
      own.crossOrigin = 'anonymous';
      if (src === null) own.removeAttribute('src');
      else own.src = src;
    }
    own.hidden = src === null || !own.complete || own.naturalWidth === 0;
    this.slot.hidden = !own.hidden;
    heat.hidden = explanation === undefined || explanation.map.flat;
    this.point.hidden = heat.hidden;
    heat.classList.toggle('stretched', resize === 'stretch');
    heat.style.setProperty('--_opacity', String(opacity));
    if (colourMap !== before?.colourMap) {
      this.scale.style.setProperty('--_gradient', gradient(colourMap));
    }
    if (explanation === before?.explanation && colourMap === before?.colourMap) return;
    if (!explanation) {
      this.read(false);
      return;
    }
    paint(heat, explanation.map, colourMap);
    const isRead = this.point.classList.contains('read');
    if (!isRead) this.at = strongest(explanation);
    this.read(isRead);
    const name = labelOf(explanation.class, strings);
    heat.setAttribute('aria-label', filled(strings.heatMap, { class: name }));
  }

  private renderStrings(strings: Strings): void {
    this.large.textContent = strings.large;
    this.stop.textContent = strings.cancel;
    this.bar.setAttribute('aria-label', strings.progress);
    this.whyNot.textContent = strings.noWebgpu;
    this.browsers.replaceChildren(...strings.browsers.map((text) => make('li', {}, text)));
    this.classesName.textContent = strings.classes;
    this.least.textContent = strings.least;
    this.most.textContent = strings.most;
    this.opacityName.textContent = strings.opacity;
    this.save.textContent = strings.download;
    this.point.setAttribute('aria-label', strings.point);
  }

  private renderWork({ phase, progress, strings }: Shown): void {
    this.work.hidden = phase !== 'loading' && phase !== 'looking';
    if (progress) {
      this.bar.max = progress.total;
      this.bar.value = progress.done;
    } else {
      this.bar.removeAttribute('value');
    }
    const seconds = progress?.secondsLeft;
    set(
      this.left,
      seconds === undefined ? '' : filled(strings.left, { seconds: String(Math.ceil(seconds)) }),
    );
  }

  /** The list is kept as long as its classes are the same, and with it the keyboard's focus. */
  private renderClasses(
    { top, class: chosen }: Explanation,
    { phase, strings, lang }: Shown,
  ): void {
    const key = JSON.stringify([top, strings.labels, lang]);
    if (this.classes.dataset.key !== key) {
      this.classes.dataset.key = key;
      const percent = percentIn(lang);
      const rows = top.map((score) => {
        const radio = make('input', { type: 'radio', name: 'class', value: String(score.index) });
        const name = make('span', {}, labelOf(score, strings));
        const share = make('span', {}, percent(score.probability));
        const row = make('label', { part: 'class', class: 'class' }, radio, name, share);
        row.style.setProperty('--_share', `${100 * score.probability}%`);
        return row;
      });
      this.classes.replaceChildren(this.classesName, ...rows);
    }
    for (const radio of this.classes.querySelectorAll('input')) {
      radio.checked = Number(radio.value) === chosen.index;
      radio.disabled = phase !== 'explained';
    }
  }

  private readAt({ clientX, clientY }: PointerEvent): void {
    const box = this.stage.getBoundingClientRect();
    const { left, top, width, height } = this.place(box);
    this.at = {
      x: (clientX - box.left - left) / width,
      y: (clientY - box.top - top) / height,
    };
    this.read(true);
  }

  private moveBy(event: KeyboardEvent): void {
    const map = this.shown?.explanation?.map;
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[
      event.key
    ];
    if (!map || !way) return;
    event.preventDefault();
    const [x, y] = way as [number, number];
    const inside = (value: number): number => Math.min(1 - 1e-6, Math.max(0, value));
    this.at = {
      x: inside(this.at.x + x * (event.shiftKey ? 1 / map.width : STEP)),
      y: inside(this.at.y + y * (event.shiftKey ? 1 / map.height : STEP)),
    };
    this.read(true);
  }

  private place(box: { readonly width: number; readonly height: number }) {
    return placeOf(box, this.heat, this.shown?.resize ?? 'cover');
  }

  /** Shows the value at the point, on the picture and in the legend, and says it to whoever moves it by keys. */
  private read(isRead: boolean): void {
    const map = this.shown?.explanation?.map;
    const { point, mark, value } = this;
    const isShown = map !== undefined && !map.flat && isRead;
    point.classList.toggle('read', isShown);
    mark.hidden = !isShown;
    if (!map || !this.shown) return;
    const { strings, lang } = this.shown;
    const { x, y } = this.at;
    const isInside = x >= 0 && x < 1 && y >= 0 && y < 1;
    const at = isInside
      ? (map.data[Math.floor(y * map.height) * map.width + Math.floor(x * map.width)] as number)
      : 0;
    const text = at.toLocaleString(lang, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
    const box = this.stage.getBoundingClientRect();
    const { left, top, width, height } = this.place(box);
    const [px, py] = [left + x * width, top + y * height];
    point.style.setProperty('--_x', `${px}px`);
    point.style.setProperty('--_y', `${py}px`);
    point.classList.toggle('low', py < 48);
    point.classList.toggle('early', !isInside ? px < box.width / 2 : px < 32);
    point.classList.toggle('late', !isInside ? px >= box.width / 2 : px > box.width - 32);
    mark.style.setProperty('--_at', `${100 * at}%`);
    if (!isInside) mark.hidden = true;
    value.textContent = isInside ? text : strings.outside;
    const place = { value: text, x: percentage(x), y: percentage(y) };
    point.setAttribute('aria-valuenow', at.toFixed(3));
    point.setAttribute('aria-valuetext', isInside ? filled(strings.value, place) : strings.outside);
  }
}

const percentage = (share: number): string => String(Math.round(100 * share));

/** Only where it differs: a live region says whatever is put there. */
function set(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

const percentIn = (lang: string): ((share: number) => string) => {
  const format = new Intl.NumberFormat(lang, { style: 'percent', maximumFractionDigits: 1 });
  return (share) => format.format(share);
};

export function labelOf({ label }: ClassScore, { labels }: Strings): string {
  return labels[label] ?? label;
}

function statusOf({ phase, strings, explanation, lang, problem }: Shown): string {
  const name = explanation ? labelOf(explanation.class, strings) : '';
  if (phase === 'loading') return strings.loading;
  if (phase === 'looking') {
    return explanation ? filled(strings.preview, { class: name }) : strings.looking;
  }
  if (phase === 'explained' && explanation) {
    if (explanation.map.flat) return filled(strings.flat, { class: name });
    const percent = percentIn(lang)(explanation.class.probability);
    return filled(strings.explained, { class: name, percent });
  }
  if (phase === 'cancelled') return strings.cancelled;
  return problem ?? '';
}

/** Where the map is strongest, in shares of it. */
function strongest({ map: { data, width, height } }: Explanation): { x: number; y: number } {
  const at = data.indexOf(data.reduce((a, b) => Math.max(a, b), 0));
  return { x: ((at % width) + 0.5) / width, y: (Math.floor(at / width) + 0.5) / height };
}
