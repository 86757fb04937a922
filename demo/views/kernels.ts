/** Kernels: each with its source, what it did last, and what it gives on this adapter. */

import type { Measurement } from '../../bench/measure/types';
import type { Fact } from '../../bench/report/facts';
import { ms, number, percent } from '../../bench/report/format';
import { normalise } from '../../src/explain/image';
import type { DispatchTiming } from '../../src/gpu/profiler';
import { adapterName, type Explainer } from '../../src/index';
import { h } from '../dom';
import '../parts/parts.css';
import { type Column, table } from '../parts/table';
import { Work } from '../parts/work';
import { runnerOf } from '../study/inside';
import { KernelBench, LADDERS, type Ladder } from '../study/kernel-bench';
import type { KernelFile } from '../study/kernel-files';
import type en from '../texts/en/kernels';
import type { Context, Mounted } from '../view';
import './kernels.css';

type KernelsContext = Context<typeof en>;

/** Of a kernel, the longest of its last dispatches that are listed. */
const LISTED = 10;

export function mount(root: HTMLElement, context: KernelsContext): Mounted {
  const { texts, models } = context;
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
    const [explainer, files] = await Promise.all([
      models.explainer(),
      import('../study/kernel-files'),
    ]).finally(stopHearing);
    signal.throwIfAborted();
    const page = new KernelsPage(context, explainer, files, signal);
    content.append(...page.elements);
    return page.profile(onProgress);
  });
  return { dispose: () => stop.abort() };
}

/** The sections, and the measurements that fill them: one at a time, or they would disturb each other. */
class KernelsPage {
  readonly elements: readonly HTMLElement[];
  private readonly context: KernelsContext;
  private readonly explainer: Explainer;
  private readonly files: typeof import('../study/kernel-files');
  private readonly signal: AbortSignal;
  private readonly bench: KernelBench;
  private readonly places: Readonly<Record<'facts' | 'last' | 'layers', HTMLElement>>;
  /** Of the last explanation, by file. */
  private last: ReadonlyMap<string, readonly DispatchTiming[]> = new Map();
  /** Of the last pass. */
  private layers: readonly Measurement[] = [];
  private readonly listeners: (() => void)[] = [];
  private isBusy = true;

  constructor(
    context: KernelsContext,
    explainer: Explainer,
    files: typeof import('../study/kernel-files'),
    signal: AbortSignal,
  ) {
    this.context = context;
    this.explainer = explainer;
    this.files = files;
    this.signal = signal;
    this.bench = new KernelBench(runnerOf(explainer));
    this.places = { facts: h('dl', { class: 'adapter' }), last: h('div'), layers: h('div') };
    const { texts } = context;
    this.elements = [
      this.section(texts.adapter.title, [texts.adapter.text], this.places.facts, this.peakButton()),
      this.section(
        texts.last.title,
        [this.bench.hasTimestamps ? texts.last.text : texts.last.without],
        this.places.last,
      ),
      this.section(texts.layers.title, [texts.layers.text], this.places.layers),
      this.section(
        texts.ladder.title,
        texts.ladder.text,
        ...LADDERS.map((ladder) => this.ladder(ladder)),
      ),
      this.section(texts.roof.title, [texts.roof.text], this.roof()),
      this.section(texts.all.title, [texts.all.text], ...this.list()),
    ];
    this.showAdapter();
  }

  /** Runs an explanation and a pass, and shows what they dispatched. */
  async profile(
    onProgress: (progress: { readonly done: number; readonly total: number }) => void,
  ): Promise<string> {
    const { bench, explainer, signal, context } = this;
    const { texts, subject } = context;
    const image = await subject.image();
    try {
      let passes = 0;
      let input = new Float32Array(0);
      const timings = await bench.profile(async () => {
        const explanation = await explainer.explain(image, { signal, onProgress });
        passes = explanation.passes.forward;
        const { input: size } = explainer.model;
        input = normalise(explanation.image, { input: size }) as Float32Array<ArrayBuffer>;
      });
      const last = new Map<string, DispatchTiming[]>();
      for (const timing of timings) {
        const name = this.files.FILE_OF.get(timing.kernel)?.file ?? timing.kernel;
        last.set(name, [...(last.get(name) ?? []), timing]);
      }
      this.last = last;
      this.layers = await bench.layers(input);
      signal.throwIfAborted();
      await this.showLast();
      await this.showLayers();
      for (const listener of this.listeners) listener();
      return timings.length > 0 ? texts.last.done(timings.length, passes) : texts.last.none(passes);
    } finally {
      this.isBusy = false;
    }
  }

  private section(
    title: string,
    text: readonly string[],
    ...content: readonly Node[]
  ): HTMLElement {
    return h(
      'section',
      { class: 'kernels-section' },
      h('h2', {}, title),
      ...text.map((each) => h('p', { class: 'lead' }, each)),
      ...content,
    );
  }

  /** A button that measures, and where it says so. Nothing happens while something else is measured. */
  private action(
    label: string,
    what: string,
    task: (onProgress: (progress: { done: number; total: number }) => void) => Promise<string>,
  ): HTMLElement {
    const work = new Work(this.context.texts.work, this.context.models);
    const run = async (): Promise<void> => {
      if (this.isBusy) {
        work.say(this.context.texts.busy);
        return;
      }
      this.isBusy = true;
      await work.run(what, this.signal, task);
      this.isBusy = false;
    };
    const button = h('button', { type: 'button', onclick: () => void run() }, label);
    return h('div', { class: 'action' }, button, work.element);
  }

  private showAdapter(): void {
    const { texts } = this.context;
    const { adapter } = this.explainer;
    const { gpu } = runnerOf(this.explainer);
    const { peak } = this.bench;
    const features = [...gpu.device.features].sort().join(', ');
    const facts: readonly (readonly [string, string])[] = [
      [texts.adapter.name, adapterName(adapter)],
      [texts.adapter.clock, this.bench.hasTimestamps ? texts.adapter.gpuClock : texts.adapter.wall],
      [
        texts.adapter.peak,
        peak ? texts.adapter.peaks(number(peak.gflops), number(peak.gbps)) : texts.adapter.unknown,
      ],
      [texts.adapter.features, features || '–'],
    ];
    this.places.facts.replaceChildren(
      ...facts.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]),
    );
  }

  /** The peak is known from here on: shares of it, too. */
  private async showPeak(): Promise<void> {
    this.signal.throwIfAborted();
    this.showAdapter();
    await this.showLayers();
  }

  private peakButton(): HTMLElement {
    const { adapter } = this.context.texts;
    return this.action(adapter.measure, adapter.measuring, async () => {
      const { gflops, gbps } = await this.bench.roof();
      await this.showPeak();
      return adapter.peaks(number(gflops), number(gbps));
    });
  }

  /** Time by kernel in the last explanation. */
  private async showLast(): Promise<void> {
    const { last: texts, figures } = this.context.texts;
    const rows = [...this.last]
      .map(([file, timings]) => ({ file, count: timings.length, time: sumOf(timings) }))
      .sort((a, b) => b.time - a.time);
    const total = rows.reduce((sum, { time }) => sum + time, 0);
    const [longest] = rows;
    if (!longest) return;
    const { bars } = await import('../parts/bars');
    this.signal.throwIfAborted();
    const all = table(
      texts.title,
      [
        { head: texts.columns.kernel, of: ({ file }) => file },
        { head: texts.columns.count, of: ({ count }) => String(count), isNumber: true },
        { head: texts.columns.time, of: ({ time }) => ms(time), isNumber: true },
        { head: texts.columns.share, of: ({ time }) => percent(time / total), isNumber: true },
      ],
      rows,
    );
    this.places.last.replaceChildren(
      bars(
        texts.chart(ms(total), longest.file, percent(longest.time / total)),
        rows.slice(0, LISTED).map(({ file, count, time }) => ({
          name: file,
          value: time,
          text: texts.bar(count, ms(time), percent(time / total)),
        })),
        texts.axis,
        { open: figures, table: all },
        this.signal,
      ),
    );
  }

  private async showLayers(): Promise<void> {
    const { layers: texts, figures } = this.context.texts;
    const facts = this.bench.facts(this.layers);
    if (facts.length === 0) return;
    const { bars } = await import('../parts/bars');
    this.signal.throwIfAborted();
    const total = facts.reduce((sum, { time }) => sum + time.median, 0);
    this.places.layers.replaceChildren(
      bars(
        texts.chart(ms(total)),
        facts.map(({ measurement: { name, asDirect }, time, gflops }) => ({
          name,
          value: time.median,
          text: texts.bar(ms(time.median), `${number(gflops)}${asDirect ? '*' : ''}`),
        })),
        texts.axis,
        { open: figures, table: this.factTable(texts.title, facts) },
        this.signal,
      ),
      ...this.footnote(facts),
    );
  }

  /** What the stars say, where there are any. */
  private footnote(facts: readonly Fact[]): HTMLElement[] {
    const { direct } = this.context.texts.layers;
    const hasStars = facts.some(({ measurement }) => measurement.asDirect);
    return hasStars ? [h('p', { class: 'aside' }, direct)] : [];
  }

  private factTable(caption: string, facts: readonly Fact[], more: readonly Column<Fact>[] = []) {
    const { columns } = this.context.texts;
    return table(
      caption,
      [
        { head: columns.what, of: ({ measurement }) => measurement.name },
        ...more,
        { head: columns.time, of: ({ time }) => ms(time.median), isNumber: true },
        {
          head: 'GFLOP/s',
          of: ({ gflops, measurement }) =>
            gflops ? `${number(gflops)}${measurement.asDirect ? '*' : ''}` : '–',
          isNumber: true,
        },
        { head: 'GB/s', of: ({ gbps }) => (gbps ? number(gbps) : '–'), isNumber: true },
        ...(this.bench.peak
          ? [
              {
                head: columns.share,
                of: ({ share }: Fact) => (share === undefined ? '–' : percent(share)),
                isNumber: true,
              },
            ]
          : []),
      ],
      facts,
    );
  }

  private ladder(ladder: Ladder): HTMLElement {
    const { ladder: texts, figures } = this.context.texts;
    const place = h('div');
    const name = texts.names[ladder];
    const action = this.action(texts.climb(name), texts.climbing(name), async (onProgress) => {
      const onRung = (done: number, total: number): void => onProgress({ done, total });
      const facts = await this.bench.climb(ladder, onRung, this.signal);
      const { bars } = await import('../parts/bars');
      await this.showPeak();
      const first = facts[0] as Fact;
      const best = facts.reduce((a, b) => (b.time.median < a.time.median ? b : a));
      const gain = number(first.time.median / best.time.median);
      place.replaceChildren(
        bars(
          texts.chart(name, gain),
          facts.map(({ measurement, time, gflops }) => ({
            name: measurement.name,
            value: gflops ?? 0,
            text: texts.bar(ms(time.median), number(gflops)),
          })),
          'GFLOP/s',
          {
            open: figures,
            table: this.factTable(name, facts, [
              { head: texts.idea, of: ({ measurement }) => measurement.note ?? '', lang: 'en' },
            ]),
          },
          this.signal,
        ),
        h('p', { class: 'aside', lang: 'en' }, first.measurement.group ?? ''),
        ...this.footnote(facts),
      );
      return texts.done(best.measurement.name, gain);
    });
    return h('div', { class: 'ladder' }, action, place);
  }

  /** All kernels under the roof of the adapter. */
  private roof(): HTMLElement {
    const { roof: texts, figures } = this.context.texts;
    const place = h('div');
    const action = this.action(texts.measure, texts.measuring, async (onProgress) => {
      const onSubject = (done: number, total: number): void => onProgress({ done, total });
      const subjects = await this.bench.subjectsOf();
      const facts = await this.bench.measure(subjects, onSubject, this.signal);
      const { roofline } = await import('../parts/roofline');
      await this.showPeak();
      const { peak } = this.bench;
      if (!peak) return '';
      const best = facts.reduce((a, b) => ((b.share ?? 0) > (a.share ?? 0) ? b : a));
      const says = texts.chart(
        facts.length,
        number(peak.gflops),
        number(peak.gbps),
        best.measurement.name,
        percent(best.share),
      );
      const all = this.factTable(texts.title, facts);
      place.replaceChildren(roofline(says, facts, peak, { open: figures, table: all }));
      return texts.done(facts.length);
    });
    return h('div', { class: 'ladder' }, action, place);
  }

  /** All files by kind, closed; what is inside comes when one is opened. */
  private list(): HTMLElement[] {
    const { all: texts } = this.context.texts;
    const { KINDS, KERNEL_FILES } = this.files;
    return KINDS.map((kind) =>
      h(
        'div',
        { class: 'kind' },
        h('h3', {}, texts.kinds[kind]),
        ...KERNEL_FILES.filter((file) => file.kind === kind).map((file) => this.kernel(file)),
      ),
    );
  }

  private kernel(file: KernelFile): HTMLElement {
    const { all: texts } = this.context.texts;
    const time = h('span', { class: 'time' });
    const dispatches = h('div');
    let isFilled = false;
    const details = h(
      'details',
      {
        class: 'kernel',
        ontoggle: () => {
          if (isFilled || !details.open) return;
          isFilled = true;
          details.append(...this.inside(file), dispatches);
        },
      },
      h(
        'summary',
        {},
        h('code', {}, file.file),
        ' ',
        h('span', { class: 'about', lang: 'en' }, file.summary),
        ' ',
        time,
      ),
    );
    this.listeners.push(() => {
      const timings = this.last.get(file.file) ?? [];
      if (timings.length === 0) return;
      time.textContent = texts.time(timings.length, ms(sumOf(timings)));
      dispatches.replaceChildren(this.dispatches(timings));
    });
    return details;
  }

  private inside({ file, header, code, kernels }: KernelFile): HTMLElement[] {
    const { all: texts } = this.context.texts;
    const measuring = h('div', { class: 'measuring' });
    if (kernels.length > 0) void this.offer(file, kernels, measuring);
    return [
      h('pre', { class: 'comment', lang: 'en' }, header),
      ...(kernels.length > 0
        ? [h('p', { class: 'small' }, texts.variants(kernels.join(', ')))]
        : []),
      h(
        'pre',
        {
          class: 'source',
          tabindex: 0,
          role: 'region',
          'aria-label': texts.source(file),
          lang: 'en',
        },
        h('code', {}, code),
      ),
      measuring,
    ];
  }

  /** Offers to measure some kernels, if this device can. */
  private async offer(file: string, kernels: readonly string[], place: HTMLElement): Promise<void> {
    const { all: texts } = this.context.texts;
    const subjects = await this.bench.subjectsOf(kernels);
    const result = h('div');
    const measured = this.action(texts.measure, texts.measuring, async (onProgress) => {
      const onSubject = (done: number, total: number): void => onProgress({ done, total });
      const facts = await this.bench.measure(subjects, onSubject, this.signal);
      await this.showPeak();
      result.replaceChildren(this.factTable(texts.measured(file), facts));
      return texts.done;
    });
    place.append(
      ...(subjects.length > 0
        ? [measured, result]
        : [h('p', { class: 'small' }, texts.unmeasured)]),
    );
  }

  /** The longest of a kernel's last dispatches, with the sizes they had. */
  private dispatches(timings: readonly DispatchTiming[]): HTMLElement {
    const { all: texts } = this.context.texts;
    const longest = timings.toSorted((a, b) => b.ms - a.ms).slice(0, LISTED);
    return table(
      texts.dispatches(longest.length, timings.length),
      [
        { head: texts.columns.label, of: ({ label }) => label, lang: 'en' },
        { head: texts.columns.variant, of: ({ kernel }) => kernel },
        { head: texts.columns.workgroups, of: ({ dispatch }) => dispatch.workgroups.join(' x ') },
        {
          head: texts.columns.sizes,
          of: ({ dispatch: { constants, params } }) =>
            Object.entries({ ...constants, ...params })
              .map(([name, value]) => `${name} ${value}`)
              .join(', '),
        },
        {
          head: texts.columns.buffers,
          of: ({ dispatch: { buffers } }) =>
            Object.entries(buffers)
              .map(
                ([name, { buffer, offset = 0, size = buffer.size - offset }]) =>
                  `${name} ${bytes(size)}`,
              )
              .join(', '),
        },
        { head: texts.columns.time, of: (timing) => ms(timing.ms), isNumber: true },
      ],
      longest,
    );
  }
}

function sumOf(timings: readonly DispatchTiming[]): number {
  return timings.reduce((sum, timing) => sum + timing.ms, 0);
}

function bytes(size: number): string {
  if (size < 1024) return `${size} B`;
  return size < 1024 ** 2 ? `${number(size / 1024)} KiB` : `${number(size / 1024 ** 2)} MiB`;
}
