import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { METRICS, type Metric } from '../src/evaluation/types';
import { progressMeter } from '../src/explain/progress';
import { targetIndex } from '../src/model/network';
import { TRAINING_SEEDS_END } from '../weights/scenes';
import { CliError, Interrupted, runCommand, usageError } from './errors';
import { falseConfidence, saturationOf } from './evaluation/argument';
import { argumentPlots, argumentReport } from './evaluation/argument-report';
import { plotAll } from './evaluation/plots';
import {
  DEFAULT_SPECS,
  type MethodSpec,
  measuringPasses,
  parseSpecs,
  passesOf,
} from './evaluation/specs';
import { Store } from './evaluation/store';
import { judge, summariseRows } from './evaluation/summary';
import { csvTable, markdownTable, verdictText } from './evaluation/tables';
import type { SanityPoint, Subject } from './evaluation/types';
import {
  DEFAULT_MODEL,
  findModel,
  parseClasses,
  parseName,
  readImage,
  readNetwork,
} from './options';
import { checkWritable, writeAll } from './output';
import type { Opened } from './page';
import { ProgressDisplay } from './progress';
import { fileAddress, projectRoot } from './server';
import { Session } from './session';

interface Options {
  images?: string;
  boxes?: string;
  methods: string;
  model: string;
  limit?: string;
  metrics: string;
  curves: string;
  adcc: string;
  steps: string;
  sanity: string;
  pictures: string;
  seed: string;
  out: string;
  restart?: boolean;
  dryRun?: boolean;
  argument?: boolean | string;
  class?: string;
}

/** Scenes that nobody has seen in training, and that no other figure of the project rests on. */
const FIRST_SEED = 3_000_000;
const DEFAULT_SCENES = '200';
const DEFAULT_OUT = 'out/evaluation';

const program = new Command('evaluate')
  .description(
    'Measures how good the methods are: on scenes of two objects that the project draws, or on your images.',
  )
  .option('--images <folder>', 'PNG and JPEG files instead of scenes')
  .option('--boxes <file>', 'JSON: { "a.png": [{ "label": "...", "box": [x, y, width, height] }] }')
  .option('--methods <list>', 'with options: "score-cam, is-cam(top=10; steps=4)"', DEFAULT_SPECS)
  .option('--model <model>', 'name, path of a manifest or of its folder', DEFAULT_MODEL)
  .option('--limit <n>', `images (default: ${DEFAULT_SCENES} scenes, or all files)`)
  .option('--metrics <list>', METRICS.join(','), METRICS.join(','))
  .option('--curves <n>', 'insertion and deletion on the first n images only', '5')
  .option('--adcc <n>', 'ADCC, which explains every image anew, on the first n images only', '10')
  .option('--steps <n>', 'steps of insertion and deletion', '100')
  .option('--sanity <n>', 'cascading randomisation on the first n images', '1')
  .option('--pictures <n>', 'images in gallery.png', '4')
  .option('--seed <n>', 'seed of the first scene', String(FIRST_SEED))
  .option(
    '--out <folder>',
    'where the files go; a run with the same settings goes on',
    'out/evaluation',
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
  .option('--dry-run', 'only say how much there is to do')
  .exitOverride()
  .configureOutput({ outputError: () => {} });

function parseOptions(): Options {
  try {
    program.parse();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) process.exit(0);
    throw new CliError(`${error.message.replace(/^error: /, '')} (--help lists the options)`, 2);
  }
  return program.opts<Options>();
}

function whole(option: string, text: string, least: number): number {
  if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text);
  throw usageError(`${option} "${text}": give a whole number from ${least} on.`);
}

type Boxes = Readonly<Record<string, readonly { label: string; box: readonly number[] }[]>>;

function readBoxes(path: string): Boxes {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new CliError(`--boxes ${path} cannot be read as JSON: ${(error as Error).message}`);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new CliError(`--boxes ${path}: it must be an object of lists by file name.`);
  }
  for (const [file, objects] of Object.entries(json)) {
    const good =
      Array.isArray(objects) &&
      objects.every(
        (one: { label?: unknown; box?: unknown }) =>
          typeof one?.label === 'string' &&
          Array.isArray(one.box) &&
          one.box.length === 4 &&
          one.box.every(Number.isFinite) &&
          one.box[2] > 0 &&
          one.box[3] > 0,
      );
    if (good) continue;
    throw new CliError(
      `--boxes ${path}: "${file}" must be a list of { "label": "...", "box": [x, y, width, height] } with ` +
        `sizes above 0, is ${JSON.stringify(objects)?.slice(0, 100)}.`,
    );
  }
  return json as Boxes;
}

/** An image to come: how many classes are asked of it, and the image, read only when its turn comes. */
interface Planned {
  readonly classes: number;
  readonly take: () => Subject;
}

function subjectsOf(options: Options): Planned[] {
  const limit = options.limit === undefined ? undefined : whole('--limit', options.limit, 1);
  if (options.images === undefined) {
    if (options.boxes !== undefined) throw usageError('--boxes is of no use without --images.');
    const first = whole('--seed', options.seed, 0);
    if (first < TRAINING_SEEDS_END) {
      throw usageError(
        `--seed ${first}: seeds below ${TRAINING_SEEDS_END} were used in training; begin there or later.`,
      );
    }
    return Array.from({ length: limit ?? Number(DEFAULT_SCENES) }, (_, i) => ({
      classes: 2,
      take: () => ({ kind: 'scene', seed: first + i }),
    }));
  }
  const { images } = options;
  if (!existsSync(images)) throw usageError(`--images ${images}: there is no such folder.`);
  const boxes = options.boxes === undefined ? {} : readBoxes(options.boxes);
  const names = readdirSync(images)
    .filter((name) => ['.png', '.jpg', '.jpeg'].includes(extname(name).toLowerCase()))
    .sort();
  if (names.length === 0) throw usageError(`--images ${images}: there is no PNG or JPEG in it.`);
  const unknown = Object.keys(boxes).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw usageError(`--boxes ${options.boxes}: there is no image "${unknown}" in ${images}.`);
  }
  return names.slice(0, limit).map((name) => {
    const objects = (boxes[name] ?? []).map(({ label, box: [x, y, width, height] }) => ({
      label,
      box: { x, y, width, height } as { x: number; y: number; width: number; height: number },
    }));
    return {
      classes: Math.max(1, new Set(objects.map(({ label }) => label)).size),
      take: () => ({
        kind: 'file',
        name,
        base64: readImage(join(images, name)).toString('base64'),
        objects,
      }),
    };
  });
}

/** The report on one image. */
async function argument(options: Options, signal: AbortSignal): Promise<void> {
  const source = findModel(options.model, join(projectRoot, 'weights'));
  if (source.kind !== 'file') {
    throw usageError(
      `--model ${options.model}: give a model on this disk; npm run weights makes one.`,
    );
  }
  const network = await readNetwork(source, signal);
  const [asked] = options.class === undefined ? [] : parseClasses(options.class, network.labels);
  const subject: Subject =
    typeof options.argument === 'string'
      ? {
          kind: 'file',
          name: basename(options.argument),
          base64: readImage(options.argument).toString('base64'),
          objects: [],
        }
      : { kind: 'scene', seed: whole('--seed', options.seed, 0) };
  const out = options.out === DEFAULT_OUT ? 'out/argument' : options.out;
  checkWritable(out);
  const display = new ProgressDisplay();
  const onStep = display.update.bind(display);
  const session = await Session.open({ signal, onStep, folders: [dirname(source.path)] });
  try {
    await session.call('open', fileAddress(session.url, source.path));
    await session.call('takeSubject', subject);
    const found = await session.call('argue', asked === 'auto' ? undefined : asked);
    display.stop();
    const report = argumentReport(found);
    const json = {
      ...found,
      ...falseConfidence(found.maps),
      saturated: saturationOf(found.saturation),
    };
    const files = new Map([
      ['report.md', report],
      ['report.json', `${JSON.stringify(json, undefined, 2)}\n`],
      ...Object.entries(argumentPlots(found)),
    ]);
    writeAll(out, new Map([...files].map(([name, text]) => [name, Buffer.from(text)])));
    console.log(report);
    console.log(`Wrote to ${out}: ${[...files.keys()].join(', ')}`);
  } finally {
    display.stop();
    await session.close();
  }
}

async function evaluate(signal: AbortSignal): Promise<void> {
  const options = parseOptions();
  if (options.argument) return argument(options, signal);
  if (options.class !== undefined) throw usageError('--class is of use to --argument only.');
  const specs = parseSpecs(options.methods);
  const metrics = options.metrics
    .split(',')
    .map((name) => parseName('--metrics', name.trim(), METRICS) as Metric);
  const counts = {
    curves: whole('--curves', options.curves, 0),
    adcc: whole('--adcc', options.adcc, 0),
    pictures: whole('--pictures', options.pictures, 0),
    sanity: whole('--sanity', options.sanity, 0),
    steps: whole('--steps', options.steps, 1),
  };
  const subjects = subjectsOf(options);
  const source = findModel(options.model, join(projectRoot, 'weights'));
  if (source.kind !== 'file') {
    throw usageError(
      `--model ${options.model}: give a model on this disk; npm run weights makes one.`,
    );
  }
  const network = await readNetwork(source, signal);
  const channels = network.layers[targetIndex(network, network.targetLayer)]?.output.channels ?? 0;
  const costOf = (spec: MethodSpec, own: readonly Metric[], classes: number): number =>
    passesOf(spec, channels, classes) + measuringPasses(spec, own, channels, classes, counts.steps);
  const perImage = specs.reduce((sum, spec) => sum + passesOf(spec, channels, 2), 0);
  const curves =
    counts.curves > 0 && metrics.some((one) => one === 'insertion' || one === 'deletion');
  console.error(
    `${subjects.length} images by ${specs.length} methods: about ${perImage} forward passes an image for the maps, ` +
      `and ${specs.length * 4} to measure them` +
      `${curves ? `; ${specs.length * 4 * counts.steps} more on each of the first ${counts.curves}` : ''}.`,
  );
  if (options.dryRun) return;
  checkWritable(options.out);
  const store = new Store(
    options.out,
    {
      model: options.model,
      methods: specs.map(({ name }) => name),
      images: options.images ?? `scenes from seed ${options.seed}`,
      boxes: options.boxes ?? null,
      metrics,
      curves: counts.curves,
      adcc: counts.adcc,
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
        costOf,
        meter,
        signal,
      );
      sanity = await sanityOf(session, store, address, subjects.slice(0, counts.sanity), specs);
    } finally {
      display.stop();
    }
    const text = await write(session, store, {
      ...counts,
      opened,
      specs,
      images,
      sanity,
    });
    console.log(text);
    console.log(
      `\nWrote to ${options.out}: table.md, table.csv, results.json, gallery.png and plots`,
    );
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    const kept = `Stopped: what is finished is kept in ${options.out}, and the same command goes on there.`;
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
  counts: { curves: number; adcc: number; steps: number; pictures: number },
  costOf: (spec: MethodSpec, metrics: readonly Metric[], classes: number) => number,
  meter: (done: number, total: number) => void,
  signal: AbortSignal,
): Promise<string[]> {
  const metricsOf = (i: number): Metric[] =>
    metrics.filter((metric) => {
      if (metric === 'insertion' || metric === 'deletion') return i < counts.curves;
      return metric !== 'adcc' || i < counts.adcc;
    });
  // In passes, not in maps: the first images, which have more metrics, would mislead about the rest.
  const costs = subjects.map(({ classes }, i) =>
    specs.map((spec) => costOf(spec, metricsOf(i), classes)),
  );
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

interface Findings {
  readonly opened: Opened;
  readonly specs: readonly MethodSpec[];
  readonly images: readonly string[];
  readonly sanity: readonly SanityPoint[];
  readonly pictures: number;
}

/** All files of the result; returns the table and the verdict. */
async function write(session: Session, store: Store, findings: Findings): Promise<string> {
  const { opened, specs, images, sanity, pictures } = findings;
  const wanted = new Set(images);
  const rows = store.rows.filter(({ image }) => wanted.has(image));
  const methods = summariseRows(rows, specs);
  const defined = specs.filter(({ name }) =>
    methods.some((one) => one.name === name && !one.refused),
  );
  const verdicts = judge(rows, 'score-cam', 'grad-cam');
  const { vendor, architecture, description, isFallback } = opened.adapter;
  const adapter = `${description || `${vendor} ${architecture}`.trim()}${isFallback ? ' (software)' : ''}`;
  const date = new Date().toISOString().slice(0, 10);
  const heading =
    `${opened.model.name}, ${images.length} images, ${rows.filter(({ method }) => method === specs[0]?.name).length} ` +
    `maps a method; ${session.browserVersion}, ${adapter}, ${date}`;
  const verdict = verdictText('score-cam', 'grad-cam', verdicts);
  const text = `${heading}\n\n${markdownTable(methods)}\n${verdict ? `\n${verdict}\n` : ''}`;
  const file = (name: string): string => join(store.folder, name);
  writeFileSync(file('table.md'), text);
  writeFileSync(file('table.csv'), csvTable(methods));
  const results = {
    date,
    adapter: opened.adapter,
    browser: session.browserVersion,
    model: opened.model.name,
  };
  writeFileSync(
    file('results.json'),
    `${JSON.stringify({ ...results, images: images.length, methods, verdicts, sanity }, undefined, 2)}\n`,
  );
  for (const [name, svg] of Object.entries(plotAll(methods, sanity)))
    writeFileSync(file(name), svg);
  const shown = rows.filter(
    ({ image, method }) => images.slice(0, pictures).includes(image) && method === defined[0]?.name,
  );
  if (shown.length > 0) {
    const lines = shown.map(({ image, label }) => ({
      label,
      pictures: defined.map(({ name }) => store.picture({ image, label, method: name })),
    }));
    const png = await session.call(
      'gallery',
      defined.map(({ name }) => name),
      lines,
    );
    writeFileSync(file('gallery.png'), Buffer.from(png, 'base64'));
  }
  return text;
}

await runCommand(evaluate);
