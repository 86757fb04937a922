/** How it works: one explanation by Score-CAM, each step drawn from what the run left in its buffers. */
import { percent } from '../../cli/words';
import type { Explainer } from '../../src/index';
import { h } from '../dom';
import { canvas, coloured, describe, put, rangeOf } from '../parts/canvas';
import { gallery } from '../parts/gallery';
import { latest } from '../parts/latest';
import { type EquationNumber, equation } from '../parts/math';
import '../parts/parts.css';
import { Work } from '../parts/work';
import { type Channel, Journey } from '../study/journey';
import type en from '../texts/en/how';
import type { Context, Mounted } from '../view';

type HowContext = Context<typeof en>;

const SORTS = ['weight', 'increase', 'deviation', 'channel'] as const;
type Sort = (typeof SORTS)[number];

/** How many maps the sum has at first: few enough to see that there is more to come. */
const FIRST_SUM = 4;

export function mount(root: HTMLElement, context: HowContext): Mounted {
  const { texts, models, subject, state } = context;
  const stop = new AbortController();
  const { signal } = stop;
  const work = new Work(texts.work, models);
  const content = h('div', { class: 'steps' });
  root.append(
    h('h1', {}, texts.heading),
    h('p', { class: 'lead' }, texts.lead),
    work.element,
    content,
  );
  void work.run(texts.work.loading, signal, async (onProgress) => {
    const stopHearing = models.onProgress(onProgress);
    const [explainer, image] = await Promise.all([models.explainer(), subject.image()]).finally(
      stopHearing,
    );
    const first = await explainer.explain(image, { signal, onProgress });
    const asked = state.number('how.class', 0, explainer.model.labels.length - 1);
    const whole = asked === undefined ? first : await first.forClass(Math.trunc(asked));
    const journey = await Journey.of(explainer, whole);
    signal.throwIfAborted();
    const view = new Steps(content, context, work, signal, explainer);
    view.show(journey);
    const { forward } = first.passes;
    return texts.done(forward, Math.round(first.timings.total));
  });
  return { dispose: () => stop.abort() };
}

/** The steps on the page, for one class at a time. */
class Steps {
  private readonly content: HTMLElement;
  private readonly context: HowContext;
  private readonly work: Work;
  private readonly signal: AbortSignal;
  private readonly explainer: Explainer;

  constructor(
    content: HTMLElement,
    context: HowContext,
    work: Work,
    signal: AbortSignal,
    explainer: Explainer,
  ) {
    this.content = content;
    this.context = context;
    this.work = work;
    this.signal = signal;
    this.explainer = explainer;
  }

  show(journey: Journey): void {
    const { texts } = this.context;
    const chosen = this.chosenMap(journey);
    const sum = this.sum(journey);
    const maps = this.maps(journey, (channel) => chosen.show(channel), sum.order);
    this.content.replaceChildren(
      this.picture(journey),
      maps,
      ...chosen.elements,
      sum.element,
      h('p', { class: 'aside' }, texts.honesty),
    );
  }

  /** Says what goes wrong. */
  private async attempt(task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch (error) {
      if (!this.signal.aborted) this.work.fail(error);
    }
  }

  private step(
    title: string,
    text: readonly (Node | string)[],
    numbers: readonly EquationNumber[],
    ...figures: readonly Node[]
  ): HTMLElement {
    const { equations } = this.context.texts;
    return h(
      'section',
      { class: 'step' },
      h('h2', {}, title),
      h(
        'div',
        { class: 'prose' },
        ...text.map((each) => (typeof each === 'string' ? h('p', {}, each) : each)),
        ...numbers.map((number) =>
          h(
            'figure',
            { class: 'equation' },
            h('div', { class: 'formula' }, equation(number), h('span', {}, `(${number})`)),
            h('figcaption', {}, equations[number]),
          ),
        ),
      ),
      ...figures,
    );
  }

  private picture(journey: Journey): HTMLElement {
    const { texts, state } = this.context;
    const { model } = this.explainer;
    const { image, top, class: own } = journey.explanation;
    const shown = canvas(image.width, image.height, texts.picture.alt);
    put(shown, image);
    // The class asked for need not be one of the likeliest.
    const classes = top.some(({ index }) => index === own.index) ? top : [...top, own];
    const select = h(
      'select',
      {
        id: 'how-class',
        onchange: () =>
          void this.attempt(async () => {
            const index = Number(select.value);
            const other = await journey.forClass(index);
            if (this.signal.aborted) return;
            state.set({ 'how.class': String(index) });
            this.show(other);
            document.getElementById('how-class')?.focus();
          }),
      },
      ...classes.map(({ index, label, probability }) =>
        h(
          'option',
          { value: index, selected: index === own.index, lang: 'en' },
          `${label}, ${percent(probability)}`,
        ),
      ),
    );
    return this.step(
      texts.picture.title,
      [
        texts.picture.text(model.name, image.width, image.height, model.labels.length),
        h('p', { class: 'field' }, h('label', { for: 'how-class' }, texts.picture.choose), select),
      ],
      [],
      h('div', { class: 'picture' }, shown),
    );
  }

  /** The gallery. `onChoose` hears of the map that is looked at, `onOrder` of the order they are in. */
  private maps(
    { channels, mapWidth, mapHeight, explanation, baseline }: Journey,
    onChoose: (channel: Channel) => void,
    onOrder: (channels: readonly Channel[]) => void,
  ): HTMLElement {
    const { texts, state } = this.context;
    const { maps } = texts;
    const pictures = gallery({
      label: maps.title,
      items: channels,
      nameOf: ({ channel }) => maps.map(channel),
      draw: ({ map }, onto) => put(onto, coloured(map, mapWidth, rangeOf(map))),
      onChoose: (item) => {
        onChoose(item);
        state.set({ 'how.map': String(item.channel) });
      },
    });
    const select = h(
      'select',
      {
        id: 'how-sort',
        onchange: () => {
          sort(select.value as Sort);
          state.set({ 'how.sort': select.value });
        },
      },
      ...SORTS.map((name) => h('option', { value: name }, maps.sorts[name])),
    );
    const sort = (by: Sort): void => {
      const direction = by === 'channel' ? 1 : -1;
      const sorted = channels.toSorted(
        (a, b) => direction * (a[by] - b[by]) || a.channel - b.channel,
      );
      pictures.order(sorted, (item) => (by === 'channel' ? '' : item[by].toFixed(3)));
      onOrder(sorted);
    };
    const by = state.oneOf('how.sort', SORTS) ?? 'weight';
    select.value = by;
    sort(by);
    const wanted = state.number('how.map', 0, Number.MAX_SAFE_INTEGER);
    const best = channels.reduce<Channel | undefined>(
      (most, item) => (most && most.weight >= item.weight ? most : item),
      undefined,
    );
    const first = channels.find(({ channel }) => channel === wanted) ?? best;
    if (first) {
      pictures.choose(first);
      onChoose(first);
    }
    const { total, constant } = explanation.channels;
    return this.step(
      maps.title,
      [
        maps.text(explanation.layer, total, mapWidth, mapHeight),
        maps.constant(constant),
        h('p', { class: 'field' }, h('label', { for: 'how-sort' }, maps.sort), select),
        maps.sameOrder(percent(baseline)),
      ],
      [],
      h('div', { class: 'whole' }, pictures.element),
    );
  }

  /** The steps of the map that was chosen: upsampled, normalised, laid over the picture, scored. */
  private chosenMap(journey: Journey): {
    readonly elements: readonly HTMLElement[];
    readonly show: (channel: Channel) => void;
  } {
    const { texts } = this.context;
    const { width, height } = journey.explanation.image;
    const { label, probability } = journey.explanation.class;
    const raw = canvas(journey.mapWidth, journey.mapHeight);
    raw.classList.add('pixels');
    const [up, mask, masked] = [0, 1, 2].map(() => canvas(width, height)) as [
      HTMLCanvasElement,
      HTMLCanvasElement,
      HTMLCanvasElement,
    ];
    const range = h('figcaption');
    const rows = h('tbody');
    let channel: Channel | undefined;
    const draw = latest(() =>
      this.attempt(async () => {
        if (!channel) return;
        const steps = await journey.stepsOf(channel);
        if (this.signal.aborted) return;
        const name = texts.maps.map(channel.channel);
        put(raw, coloured(channel.map, journey.mapWidth, rangeOf(channel.map)));
        put(up, coloured(steps.upsampled, width, steps.range));
        put(mask, coloured(steps.mask, width, [0, 1], 'grey'));
        put(masked, steps.picture);
        describe(raw, name);
        describe(up, texts.upsampled.alt(name));
        describe(mask, texts.normalised.alt(name));
        describe(masked, texts.masked.alt(name));
        const [min, max] = steps.range.map((value) => value.toFixed(3)) as [string, string];
        range.textContent = texts.upsampled.range(name, min, max);
        const facts: readonly (readonly [string, string])[] = [
          [texts.score.probability, percent(channel.weight)],
          [texts.score.again, percent(steps.probability)],
          [texts.score.baseline, percent(journey.baseline)],
          [texts.score.increase, signed(100 * channel.increase)],
          [texts.score.whole, percent(probability)],
          [texts.score.logits, `${channel.logit.toFixed(4)}; ${steps.logit.toFixed(4)}`],
        ];
        rows.replaceChildren(
          ...facts.map(([fact, value]) =>
            h('tr', {}, h('th', { scope: 'row' }, fact), h('td', { class: 'number' }, value)),
          ),
        );
        caption.textContent = texts.score.caption(name, label);
      }),
    );
    const caption = h('caption');
    return {
      show: (chosen) => {
        channel = chosen;
        draw();
      },
      elements: [
        this.step(
          texts.upsampled.title,
          [texts.upsampled.text(journey.mapWidth, journey.mapHeight, width, height)],
          [],
          h('figure', { class: 'pair' }, h('div', {}, raw), h('div', {}, up), range),
        ),
        this.step(texts.normalised.title, [texts.normalised.text], [8, 7], picture(mask)),
        this.step(texts.masked.title, [texts.masked.text], [], picture(masked)),
        this.step(
          texts.score.title,
          [texts.score.text],
          [6],
          h('table', { class: 'facts' }, caption, rows),
        ),
      ],
    };
  }

  /** The sum over more and more maps, in the order of the gallery. */
  private sum(journey: Journey): {
    readonly element: HTMLElement;
    readonly order: (channels: readonly Channel[]) => void;
  } {
    const { texts, state } = this.context;
    const { sum } = texts;
    const { image, class: own, map: finished } = journey.explanation;
    const shown = canvas(image.width, image.height);
    const note = h('output', { class: 'small', for: 'how-count' });
    const slider = h('input', {
      type: 'range',
      id: 'how-count',
      min: 0,
      max: journey.channels.length,
      oninput: () => {
        state.set({ 'how.count': slider.value });
        draw();
      },
    });
    slider.valueAsNumber =
      state.number('how.count', 0, journey.channels.length) ??
      Math.min(FIRST_SUM, journey.channels.length);
    let channels: readonly Channel[] = [];
    const total = journey.channels.reduce((all, { weight }) => all + weight, 0);
    const draw = latest(() =>
      this.attempt(async () => {
        const some = channels.slice(0, slider.valueAsNumber);
        const map = await journey.sumOf(some);
        const image = await journey.overlay(map);
        if (this.signal.aborted) return;
        put(shown, image);
        const last = some.at(-1);
        const weight = some.reduce((part, each) => part + each.weight, 0);
        const off = map.data.reduce(
          (most, value, i) => Math.max(most, Math.abs(value - (finished.data[i] as number))),
          0,
        );
        const text = last
          ? sum.count(some.length, channels.length, last.channel, percent(weight / total))
          : sum.none;
        note.textContent = `${text} ${off === 0 ? sum.finished : sum.off(off.toFixed(2))}`;
        slider.setAttribute('aria-valuetext', text);
        describe(shown, sum.alt(own.label, some.length));
      }),
    );
    return {
      element: this.step(
        sum.title,
        [
          sum.text,
          h('p', { class: 'field' }, h('label', { for: 'how-count' }, sum.slider), slider),
          note,
          sum.official,
        ],
        [9],
        picture(shown),
      ),
      order: (sorted) => {
        channels = sorted;
        draw();
      },
    };
  }
}

function picture(shown: HTMLCanvasElement): HTMLElement {
  return h('div', { class: 'picture' }, shown);
}

/** Percentage points. */
function signed(points: number): string {
  return `${points < 0 ? '−' : '+'}${Math.abs(points).toFixed(1)}`;
}
