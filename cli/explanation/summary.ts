/** What an explanation found: result.json, and the files beside it. */
import { suffixes } from '../output';
import type { ClassResult, ExplainResult, MethodResult, Opened } from '../page-api';
import { pngOf } from '../png';

/** One class by one method, with its files. */
export type ListedClass = Pick<ClassResult, 'class' | 'map' | 'weights'> & {
  readonly files: Readonly<Partial<Record<'overlay' | 'heatmap' | 'map', string>>>;
};

/** One method, with its files. */
export type ListedMethod = Omit<MethodResult, 'scoresBytes' | 'classes'> & {
  readonly classes: readonly ListedClass[];
};

export interface Summary {
  /** Such as `Chrome/140.0.7339.80`. */
  readonly runtime: string;
  readonly model: string;
  readonly adapter: Pick<
    Opened['adapter'],
    'vendor' | 'architecture' | 'description' | 'isFallback'
  >;
  readonly image: string;
  readonly top: ExplainResult['top'];
  /** The first class asked for; this and what follows is of the first method. */
  readonly class: ClassResult['class'];
  readonly layer: string;
  readonly method: string;
  readonly weighting: string | null;
  readonly channels: MethodResult['channels'];
  readonly weights: readonly number[];
  readonly timings: MethodResult['timings'];
  readonly map: ClassResult['map'];
  /** Every class asked for, the first one too, with its files. */
  readonly classes: readonly ListedClass[];
  /** Every method asked for, the first one too. */
  readonly methods: readonly ListedMethod[];
  /** Names of all files of this run, of result.json, too. */
  readonly files: readonly string[];
  /** Methods that gave no result, and why. */
  readonly failed: ExplainResult['failed'];
}

/** All files of a result, in memory. */
export function collect(
  runtime: string,
  image: string,
  opened: Opened,
  { top, methods, failed, comparison }: ExplainResult,
): { summary: Summary; files: Map<string, Uint8Array> } {
  const { vendor, architecture, description, isFallback } = opened.adapter;
  const files = new Map<string, Uint8Array>();
  const isOneOfSeveral = methods.length + failed.length > 1;
  const listed = methods.map(({ scoresBytes, classes, ...facts }): ListedMethod => {
    const name = isOneOfSeveral ? `-${facts.method}` : '';
    const own = collectClasses(classes, name, files);
    const scores = Buffer.from(scoresBytes, 'base64');
    const whose = isOneOfSeveral && facts.method !== 'score-cam' ? `-${facts.method}` : '';
    if (scores.length > 0) files.set(`scores${whose}.f32`, scores);
    return { ...facts, classes: own };
  });
  if (comparison) files.set('comparison.png', Buffer.from(comparison, 'base64'));
  const [first] = listed as [ListedMethod];
  const [main] = first.classes as [ListedClass];
  const summary: Summary = {
    runtime,
    model: opened.model.name,
    adapter: { vendor, architecture, description, isFallback },
    image,
    top,
    class: main.class,
    layer: first.layer,
    method: first.method,
    weighting: first.weighting,
    channels: first.channels,
    weights: main.weights,
    timings: first.timings,
    map: main.map,
    classes: first.classes,
    methods: listed,
    files: [...files.keys(), 'result.json'],
    failed,
  };
  files.set('result.json', Buffer.from(`${JSON.stringify(summary, undefined, 2)}\n`));
  return { summary, files };
}

function collectClasses(
  classes: readonly ClassResult[],
  method: string,
  files: Map<string, Uint8Array>,
): ListedClass[] {
  const endings = suffixes(classes.map((one) => one.class));
  return classes.map((one, i) => {
    const ending = `${method}${endings[i]}`;
    const names: { -readonly [Kind in keyof ListedClass['files']]: string } = {};
    const keep = (kind: keyof typeof names, type: string, bytes: Uint8Array): void => {
      names[kind] = `${kind}${ending}.${type}`;
      files.set(names[kind], bytes);
    };
    if (one.overlay) keep('overlay', 'png', pngOf(one.overlay));
    if (one.heatmap) keep('heatmap', 'png', pngOf(one.heatmap));
    if (one.mapBytes !== undefined) keep('map', 'f32', Buffer.from(one.mapBytes, 'base64'));
    return { class: one.class, map: one.map, weights: one.weights, files: names };
  });
}
