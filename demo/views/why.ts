/** Why not gradients: the argument that Score-CAM was made by, with what this device computes for it now. */
import {
  type FalseConfidence,
  falseConfidence,
  type MapWeights,
  saturationOf,
} from '../../cli/evaluation/argument';
import { camOf } from '../../cli/evaluation/cam-agreement';
import { imageOf } from '../../cli/scene-image';
import { percent } from '../../cli/words';
import { energyIn } from '../../src/evaluation/index';
import { normalise } from '../../src/explain/image';
import { type Explainer, type Explanation, loadModel } from '../../src/index';
import { drawScene, type SceneObject } from '../../weights/scenes';
import { h } from '../dom';
import { BUILT_IN, WEIGHTS } from '../networks';
import { canvas, put } from '../parts/canvas';
import '../parts/parts.css';
import { table } from '../parts/table';
import { Work } from '../parts/work';
import { runnerOf } from '../study/inside';
import { Journey } from '../study/journey';
import { falseTriple } from '../study/triple';
import { type WalkPoint, walk } from '../study/walk';
import type en from '../texts/en/why';
import type { Context, Mounted } from '../view';
import './why.css';

type WhyContext = Context<typeof en>;

/** The sample's seed: an arrow and a spiral, drawn again to know where they are. */
const TWO_OBJECTS = 3_000_006;

/** Of the first 60 unseen scenes with one object the one that the network is surest of. */
const CONFIDENT = 3_000_016;

const STEPS = 20;

const small = (value: number): string => value.toPrecision(3);

export function mount(root: HTMLElement, context: WhyContext): Mounted {
  const { texts, models } = context;
  const stop = new AbortController();
  const { signal } = stop;
  const work = new Work(texts.work, models);
  const section = (
    { title, text }: { readonly title: string; readonly text: readonly string[] },
    // Beside a picture, or over the whole width.
    [own, prose]: readonly [string, string] = ['step', 'prose whole'],
  ): HTMLElement =>
    h(
      'section',
      { class: own },
      h('h2', {}, title),
      h('div', { class: prose }, ...text.map((each) => h('p', {}, each))),
    );
  const places = {
    cam: section(texts.cam),
    saturation: section(texts.saturation, ['step saturation', 'prose']),
    confidence: section(texts.confidence),
    classes: section(texts.classes),
  };
  root.append(
    h('h1', {}, texts.heading),
    h('p', { class: 'lead' }, texts.lead),
    work.element,
    h('div', { class: 'steps' }, ...Object.values(places), section(texts.honesty)),
  );
  void work.run(texts.work.loading, signal, async (onProgress) => {
    const explainer = await models.explainer();
    const argument = new Argument(context, explainer, signal);
    const parts = [
      () => argument.saturation(places.saturation),
      () => argument.confidence(places.confidence),
      () => argument.classes(places.classes),
      () => argument.cam(places.cam),
    ];
    for (const [done, part] of parts.entries()) {
      onProgress({ done, total: parts.length });
      await part();
      signal.throwIfAborted();
    }
    return texts.done;
  });
  return { dispose: () => stop.abort() };
}

/** The parts of the argument over one network; each fills its section of the page. */
class Argument {
  private readonly context: WhyContext;
  private readonly explainer: Explainer;
  private readonly signal: AbortSignal;
  private readonly isBuiltIn: boolean;
  private scored: Promise<Explanation> | undefined;

  constructor(context: WhyContext, explainer: Explainer, signal: AbortSignal) {
    this.context = context;
    this.explainer = explainer;
    this.signal = signal;
    this.isBuiltIn = context.models.choice.model === BUILT_IN;
  }

  /** The visitor's image; the sample as it was drawn, where that is it. */
  private async image(): Promise<Blob | ImageData> {
    const { subject } = this.context;
    return this.isBuiltIn && subject.isSample ? this.scene().image : subject.image();
  }

  private scene(): { readonly image: ImageData; readonly objects: readonly SceneObject[] } {
    const scene = drawScene({
      seed: TWO_OBJECTS,
      objects: 2,
      size: this.explainer.model.input.width,
    });
    return { image: imageOf(scene), objects: scene.objects };
  }

  /** The image by Score-CAM, for its likeliest class; two parts read it. */
  private score(): Promise<Explanation> {
    const { signal } = this;
    this.scored ??= this.image().then((image) => this.explainer.explain(image, { signal }));
    return this.scored;
  }

  async saturation(place: HTMLElement): Promise<void> {
    const { explainer, signal, context } = this;
    const { saturation: texts } = context.texts;
    const image = this.isBuiltIn
      ? imageOf(drawScene({ seed: CONFIDENT, objects: 1, size: explainer.model.input.width }))
      : await this.image();
    // Of the image at the network's size.
    const whole = await explainer.explain(image, { method: 'grad-cam', signal });
    const { input } = explainer.model;
    const values = normalise(whole.image, { input }) as Float32Array<ArrayBuffer>;
    const points = await walk(
      runnerOf(explainer),
      values,
      whole.class.index,
      STEPS,
      () => {},
      signal,
    );
    const { lines } = await import('../parts/why-charts');
    const found = saturationOf(points);
    const end = points.at(-1) as WalkPoint;
    const { label, probability } = whole.class;
    const shown = canvas(whole.image.width, whole.image.height, texts.alt(label));
    put(shown, whole.image);
    const figure = lines(points, texts, context.texts.figures, walkTable(points, texts), signal);
    const verdict = [
      texts.found(
        label,
        // So near to 1 that a tenth of a percent would round it up.
        `${(100 * probability).toFixed(2)} %`,
        percent(found.probabilityLeft),
        percent(found.logitLeft),
        found.peak.t.toFixed(2),
      ),
      found.holds ? texts.holds : texts.fails,
      texts.logit(percent(found.logitLeft)),
      texts.silent(percent(end.silent)),
    ];
    signal.throwIfAborted();
    place.append(
      h('div', { class: 'picture' }, shown),
      figure,
      h('div', { class: 'prose whole' }, ...verdict.map((text) => h('p', {}, text))),
    );
  }

  async confidence(place: HTMLElement): Promise<void> {
    const { explainer, signal, context } = this;
    const { confidence: texts, figures } = context.texts;
    const image = await this.image();
    const score = await this.score();
    const { index, label } = score.class;
    const grad = await explainer.explain(image, { method: 'grad-cam', class: index, signal });
    const journey = await Journey.of(explainer, score);
    const maps: MapWeights[] = journey.channels.map(({ channel, increase }) => ({
      channel,
      gradient: grad.weights[channel] as number,
      increase,
    }));
    const found = falseConfidence(maps);
    const { scatter } = await import('../parts/why-charts');
    const columns = [
      { head: texts.columns.map, of: ({ channel }: MapWeights) => String(channel), isNumber: true },
      {
        head: texts.columns.weight,
        of: ({ gradient }: MapWeights) => small(gradient),
        isNumber: true,
      },
      {
        head: texts.columns.increase,
        of: ({ increase }: MapWeights) => small(increase),
        isNumber: true,
      },
    ];
    const byWeight = maps.toSorted((a, b) => b.gradient - a.gradient);
    const all = table(texts.axes.title, columns, byWeight);
    const figure = scatter(maps, found, label, texts, { open: figures, table: all }, signal);
    const strip = await this.strip(journey, grad, falseTriple(maps));
    signal.throwIfAborted();
    place.append(
      figure,
      ...strip,
      h('div', { class: 'prose whole' }, ...this.verdict(found, maps)),
    );
  }

  private verdict(found: FalseConfidence, maps: readonly MapWeights[]): HTMLElement[] {
    const { confidence: texts } = this.context.texts;
    const { pairs, falsePairs, spearman } = found;
    if (pairs === 0) return [h('p', {}, texts.nothing)];
    const text = texts.found(
      maps.length,
      falsePairs,
      pairs,
      percent(falsePairs / pairs),
      spearman?.toFixed(2) ?? '–',
    );
    return [h('p', {}, text), h('p', {}, falsePairs > 0 ? texts.measured : texts.agree)];
  }

  /** As Fig. 3 of the paper has it: the picture, and what some maps leave of it, with weight and increase. */
  private async strip(
    journey: Journey,
    { image, class: { label, probability } }: Explanation,
    maps: readonly MapWeights[],
  ): Promise<HTMLElement[]> {
    const { confidence: texts } = this.context.texts;
    if (maps.length === 0) return [];
    const whole = canvas(image.width, image.height, texts.whole);
    put(whole, image);
    const pictures = [
      h('figure', {}, whole, h('figcaption', {}, texts.wholeCaption(label, percent(probability)))),
    ];
    for (const { channel, gradient, increase } of maps) {
      const own = journey.channels.find((each) => each.channel === channel);
      if (!own) continue;
      const { picture } = await journey.stepsOf(own);
      const masked = canvas(picture.width, picture.height, texts.masked(channel));
      put(masked, picture);
      const text = texts.maskedCaption(channel, small(gradient), (100 * increase).toFixed(1));
      pictures.push(h('figure', {}, masked, h('figcaption', {}, text)));
    }
    return [
      h(
        'figure',
        { class: 'whole' },
        h('div', { class: 'strip' }, ...pictures),
        h('figcaption', {}, texts.strip),
      ),
    ];
  }

  async classes(place: HTMLElement): Promise<void> {
    const { explainer, signal, context } = this;
    const { classes: texts } = context.texts;
    const scene = this.isBuiltIn ? this.scene() : undefined;
    const image = scene?.image ?? (await this.image());
    const isSame = !scene || context.subject.isSample;
    const score = isSame ? await this.score() : await explainer.explain(image, { signal });
    const grad = await explainer.explain(image, { method: 'grad-cam', signal });
    const ways = [
      ['Score-CAM', score],
      [texts.increase, await score.withWeighting('increase')],
      ['Grad-CAM', grad],
    ] as const;
    const asked = scene
      ? scene.objects.map(({ label, box }) => ({ label, box }))
      : score.top.slice(0, 2).map(({ label }) => ({ label, box: undefined }));
    const rows: { way: string; label: string; own: string; other: string; apart: string }[] = [];
    const pictures: HTMLElement[] = [];
    let confused = 0;
    for (const { label, box } of asked) {
      const others = asked.flatMap((each) => (each.label !== label && each.box ? [each.box] : []));
      for (const [way, explanation] of ways) {
        const own = await explanation.forClass(label);
        const shown = canvas(own.map.width, own.map.height, texts.alt(way, label));
        await own.draw(shown);
        for (const each of asked) if (each.box) outline(shown, each.box, each.label === label);
        pictures.push(h('figure', {}, shown, h('figcaption', {}, texts.caption(way, label))));
        if (!box) continue;
        const [inside, outside] = [energyIn(own.map, [box]), energyIn(own.map, others)];
        if (inside === undefined || outside === undefined) continue;
        if (inside <= outside) confused++;
        rows.push({
          way,
          label,
          own: percent(inside),
          other: percent(outside),
          apart: inside > outside ? texts.yes : texts.no,
        });
      }
    }
    signal.throwIfAborted();
    const { columns } = texts;
    place.append(
      h('div', { class: 'whole classes-apart' }, ...pictures),
      ...(rows.length > 0
        ? [
            h(
              'div',
              { class: 'whole' },
              table(
                texts.title,
                [
                  { head: columns.method, of: ({ way }) => way },
                  { head: columns.asked, of: ({ label }) => label },
                  { head: columns.own, of: ({ own }) => own, isNumber: true },
                  { head: columns.other, of: ({ other }) => other, isNumber: true },
                  { head: columns.apart, of: ({ apart }) => apart },
                ],
                rows,
              ),
            ),
            h('p', { class: 'prose whole' }, confused === 0 ? texts.apart : texts.mixed(confused)),
          ]
        : [h('p', { class: 'prose whole' }, texts.noBoxes)]),
    );
  }

  async cam(place: HTMLElement): Promise<void> {
    const { explainer, signal, context } = this;
    const { cam: texts } = context.texts;
    const { layers, targetLayer } = runnerOf(explainer).network;
    const behind = layers.slice(layers.findIndex(({ name }) => name === targetLayer));
    const chain = (label: string, links: readonly string[]): HTMLElement =>
      h(
        'figure',
        {},
        h('figcaption', {}, label),
        h('ol', { class: 'chain' }, ...links.map((link) => h('li', {}, link))),
      );
    const [target] = behind as [(typeof behind)[number]];
    const size = ({ channels, height, width }: (typeof target)['output']): string =>
      height * width > 1 ? `${channels} x ${height} x ${width}` : String(channels);
    const described = behind.map(
      ({ name, type, output }) => `${name}: ${texts.kinds[type]}, ${size(output)}`,
    );
    const isDefined = explainer.model.methods.includes('cam');
    const needed = [
      described[0] as string,
      texts.pooling(target.output.channels),
      texts.linear(explainer.model.labels.length),
    ];
    place.append(
      h(
        'div',
        { class: 'chains' },
        chain(texts.has(explainer.model.name), described),
        chain(texts.needs, needed),
      ),
    );
    // Another copy of a large network is not worth it.
    if (!isDefined && !this.isBuiltIn) return;
    const image = await this.image();
    const grad = await explainer.explain(image, { method: 'grad-cam', signal });
    const found = await camOf(explainer, grad, image, () =>
      loadModel(new URL(`${WEIGHTS}/${BUILT_IN}/manifest.json`, location.href)),
    );
    signal.throwIfAborted();
    const { difference } = 'refused' in found ? found.variant : found;
    place.append(
      h(
        'div',
        { class: 'prose whole' },
        ...('refused' in found
          ? [h('p', {}, texts.refused), h('blockquote', { lang: 'en' }, found.refused)]
          : [h('p', {}, texts.defined)]),
        h('p', {}, texts.agreement(difference.toExponential(1))),
      ),
    );
  }
}

/** A box round an object: whole for the one asked for, dashed for the other. */
function outline(
  onto: HTMLCanvasElement,
  { x, y, width, height }: SceneObject['box'],
  isAsked: boolean,
): void {
  const context = onto.getContext('2d');
  if (!context) return;
  for (const [colour, thick] of [
    ['#000', 4],
    ['#fff', 2],
  ] as const) {
    context.setLineDash(isAsked ? [] : [6, 5]);
    context.strokeStyle = colour;
    context.lineWidth = thick;
    context.strokeRect(x, y, width, height);
  }
}

function walkTable(points: readonly WalkPoint[], texts: (typeof en)['saturation']): HTMLElement {
  const { columns } = texts;
  return table(
    texts.title,
    [
      { head: columns.t, of: ({ t }) => t.toFixed(2), isNumber: true },
      { head: columns.probability, of: ({ probability }) => percent(probability), isNumber: true },
      { head: columns.logit, of: ({ logit }) => logit.toFixed(2), isNumber: true },
      {
        head: columns.ofProbability,
        of: ({ ofProbability }) => small(ofProbability),
        isNumber: true,
      },
      { head: columns.ofLogit, of: ({ ofLogit }) => small(ofLogit), isNumber: true },
    ],
    points,
  );
}
