import { dirname } from 'node:path';
import { METRICS } from '../src/evaluation/index';
import type { Metric } from '../src/evaluation/types';
import { progressMeter } from '../src/explain/progress';
import { type Layer, targetIndex } from '../src/model/network';
import { newCommand, parsed } from './command';
import { Interrupted, runCommand, usageError } from './errors';
import { argueOver } from './evaluation/argue-over';
import {
  addLimits,
  type ImageLimits,
  type LimitOptions,
  metricsAt,
  parseLimits,
} from './evaluation/limits';
import { writeResults } from './evaluation/results';
import {
  DEFAULT_SPECS,
  type MethodSpec,
  measuringPasses,
  parseSpecs,
  passesOf,
} from './evaluation/specs';
import { Store } from './evaluation/store';
import { DEFAULT_SCENES, type Planned, subjectOf, subjectsOf } from './evaluation/subjects';
import type { SanityPoint } from './evaluation/types';
import { parseFilled, parseList, parseName, parseWhole } from './option-types';
import { DEFAULT_MODEL, findModelOnDisk, readNetwork } from './options';
import { checkWritable } from './output';
import { ProgressDisplay } from './progress';
import { fileAddress } from './server';
import { Session } from './session';
import { printable } from './words';

interface Options extends LimitOptions {
  images?: string;
  boxes?: string;
  methods: string;
  model: string;
  limit?: string;
  metrics: string;
  steps: string;
  sanity: string;
  pictures: string;
  seed: string;
  out?: string;
  restart?: boolean;
  dryRun?: boolean;
  argument?: boolean | string;
  class?: string;
}

/** Scenes that nobody has seen in training, and that no other figure of the project rests on. */
const FIRST_SEED = 3_000_000;

const program = newCommand(
  'evaluate',
  'Measures how good the methods are: on scenes of two objects that the project draws, or on your images.',
);
addLimits(program)
  .option('--images <folder>', 'PNG and JPEG files instead of scenes')
  .option('--boxes <file>', 'JSON: { "a.png": [{ "label": "...", "box": [x, y, width, height] }] }')
  .option('--methods <list>', 'with options: "score-cam, is-cam(top=10; steps=4)"', DEFAULT_SPECS)
  .option('--model <model>', 'name, path of a manifest or of its folder', DEFAULT_MODEL)
  .option('--limit <n>', `images (default: ${DEFAULT_SCENES} scenes, or all files)`)
  .option('--metrics <list>', METRICS.join(','), METRICS.join(','))
  .option('--steps <n>', 'steps of insertion and deletion', '100')
  .option('--sanity <n>', 'cascading randomisation on the first n images', '1')
  .option('--pictures <n>', 'images in gallery.png', '4')
  .option('--seed <n>', 'seed of the first scene', String(FIRST_SEED))
  .option(
    '--out <folder>',
    'where the files go (default: out/evaluation, or out/argument); a run with the same settings goes on',
  )
  .option('--restart', 'forget what is there')
  .option(
    '--argument [image]',
    'instead, Score-CAM against gradients on one image (default: a scene)',
  )
  .option(
    '--class <class>',
    "of --argument: index or label (default: the scene's first object, or the likeliest)",
  )
  .option('--dry-run', 'only say how much there is to do');

async function evaluate(signal: AbortSignal): Promise<void> {
  const options = parsed<Options>(program);
  const out = parseFilled('--out', options.out, 'give a folder');
  if (options.argument) {
    const subject = subjectOf(options.argument, options.seed);
    return argueOver(subject, { ...options, out: out ?? 'out/argument' }, signal);
  }
  if (options.class !== undefined) throw usageError('--class is of use to --argument only.');
  const specs = parseSpecs(options.methods);
  const metrics = parseList(options.metrics).map((name) => parseName('--metrics', name, METRICS));
  const counts = {
    ...parseLimits(options),
    pictures: parseWhole('--pictures', options.pictures, 0),
    sanity: parseWhole('--sanity', options.sanity, 0),
    steps: parseWhole('--steps', options.steps, 1),
  };
  const subjects = subjectsOf(options);
  const source = findModelOnDisk(options.model);
  const network = await readNetwork(source, signal);
  const { output } = network.layers[targetIndex(network, network.targetLayer)] as Layer;
  const { channels, height, width } = output;
  const costsOf = (own: readonly Metric[], classes: number): number[] => {
    const target = { channels, positions: height * width, classes };
    const passes = passesOf(specs, target);
    return specs.map(
      (spec, i) => (passes[i] as number) + measuringPasses(spec, own, target, counts.steps),
    );
  };
  const sum = (passes: readonly number[]): number => passes.reduce((a, b) => a + b, 0);
  const perImage = sum(costsOf([], 2));
  const [first, last] = [0, Number.POSITIVE_INFINITY].map((image) =>
    sum(costsOf(metricsAt(metrics, counts, image), 2)),
  ) as [number, number];
  console.error(
    `${subjects.length} images by ${specs.length} methods: about ${perImage} forward passes an image for the maps, ` +
      `and ${last - perImage} to measure them${first > last ? `; on the first images up to ${first - last} more` : ''}.`,
  );
  if (options.dryRun) return;
  const folder = out ?? 'out/evaluation';
  checkWritable(folder);
  const store = new Store(
    folder,
    {
      model: options.model,
      methods: specs.map(({ name }) => name),
      images: options.images ?? `scenes from seed ${options.seed}`,
      boxes: options.boxes ?? null,
      metrics,
      ...parseLimits(options),
      steps: counts.steps,
    },
    options.restart ?? false,
  );

  const display = new ProgressDisplay();
  const onStep = display.update.bind(display);
  let session: Session | undefined;
  try {
    session = await Session.open({ signal, onStep, folders: [dirname(source.path)] });
    const address = fileAddress(session.url, source.path);
    const opened = await session.call('open', address);
    const meter = progressMeter('passes', onStep, { resumes: true });
    let images: string[];
    let sanity: SanityPoint[] = [];
    try {
      images = await measureAll(
        session,
        store,
        subjects,
        specs,
        metrics,
        counts,
        costsOf,
        meter,
        signal,
      );
      sanity = await sanityOf(session, store, address, subjects.slice(0, counts.sanity), specs);
    } finally {
      display.stop();
    }
    const text = await writeResults(session, store, {
      ...counts,
      opened,
      specs,
      images,
      sanity,
    });
    console.log(printable(text, 'lines'));
    console.log(`\nWrote to ${folder}: table.md, table.csv, results.json, gallery.png and plots`);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    const kept = `Stopped: what is finished is kept in ${folder}, and the same command goes on there.`;
    throw new Interrupted(error.signal, kept);
  } finally {
    display.stop();
    await session?.close();
  }
}

/** Image by image, so that whatever is done is a fair comparison. Returns the images' names. */
async function measureAll(
  session: Session,
  store: Store,
  subjects: readonly Planned[],
  specs: readonly MethodSpec[],
  metrics: readonly Metric[],
  counts: ImageLimits & { readonly steps: number; readonly pictures: number },
  costsOf: (metrics: readonly Metric[], classes: number) => number[],
  meter: (done: number, total: number) => void,
  signal: AbortSignal,
): Promise<string[]> {
  const metricsOf = (i: number): Metric[] => metricsAt(metrics, counts, i);
  // In passes, not in maps: the first images, which have more metrics, would mislead about the rest.
  const costs = subjects.map(({ classes }, i) => costsOf(metricsOf(i), classes));
  const total = costs.flat().reduce((sum, cost) => sum + cost, 0);
  let done = 0;
  const names: string[] = [];
  for (const [i, { take }] of subjects.entries()) {
    const name = await session.call('takeSubject', take());
    names.push(name);
    for (const [j, spec] of specs.entries()) {
      signal.throwIfAborted();
      // What is there already took no time: the meter begins at the first map that is missing.
      if (!store.has(name, spec.name)) {
        meter(done, total);
        const picture = i < counts.pictures;
        const job = { spec, metrics: metricsOf(i), steps: counts.steps, pictures: picture };
        store.add(await session.call('evaluate', job));
      }
      done += costs[i]?.[j] as number;
    }
  }
  meter(total, total);
  return names;
}

/** By at most these methods, of which each stage of the cascade makes a map anew. */
const CASCADED = ['score-cam', 'grad-cam', 'recipro-cam', 'layer-cam'];

async function sanityOf(
  session: Session,
  store: Store,
  address: string,
  subjects: readonly Planned[],
  specs: readonly MethodSpec[],
): Promise<SanityPoint[]> {
  const refused = new Set(store.rows.flatMap((row) => (row.refused ? [row.method] : [])));
  const some = CASCADED.map((name) => specs.find((spec) => spec.name === name)).filter(
    (spec): spec is MethodSpec => spec !== undefined && !refused.has(spec.name),
  );
  const points: SanityPoint[] = [];
  if (some.length === 0) return points;
  for (const { take } of subjects) {
    await session.call('takeSubject', take());
    points.push(...(await session.call('sanity', address, some)));
  }
  return points;
}

await runCommand(evaluate);
