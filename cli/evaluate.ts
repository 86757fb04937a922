import { dirname } from 'node:path';
import { METRICS } from '../src/evaluation/index';
import type { Metric } from '../src/evaluation/types';
import { type Layer, targetIndex } from '../src/model/network';
import { newCommand, parsed } from './command';
import { Interrupted, runCommand, usageError } from './errors';
import { argueOver } from './evaluation/argue-over';
import { addLimits, type LimitOptions, metricsAt, parseLimits } from './evaluation/limits';
import { isDone, measureAll, tasksOf } from './evaluation/measure-all';
import { mergeShards } from './evaluation/merge';
import { type DrawGallery, writeResults } from './evaluation/results';
import { saturateOver } from './evaluation/saturate-over';
import { keepImages, settingsOfShard, shardFolder } from './evaluation/shards';
import { DEFAULT_SPECS, measuringPasses, parseSpecs, passesOf } from './evaluation/specs';
import { Store } from './evaluation/store';
import { DEFAULT_SCENES, parseUnseenSeed, subjectOf, subjectsOf } from './evaluation/subjects';
import { HOST_NAMES, HOSTS, type HostName } from './hosts/hosts';
import { parseFilled, parseList, parseName, parseWhole } from './option-types';
import { DEFAULT_MODEL, findModelOnDisk, readNetwork } from './options';
import { checkWritable } from './output';
import { ProgressDisplay } from './progress';
import { fileAddress } from './server';
import { Session } from './session';
import { parseShard, shareOf } from './shard';
import { counted, printable } from './words';

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
  runtime: string;
  out?: string;
  restart?: boolean;
  shard?: string;
  merge?: boolean;
  dryRun?: boolean;
  argument?: boolean | string;
  saturation?: string;
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
  .option(
    '--boxes <path>',
    'JSON: { "a.png": [{ "label": "...", "box": [x, y, width, height] }] }; instances of COCO; ' +
      'XML of Pascal VOC, or its folder',
  )
  .option('--methods <list>', 'with options: "score-cam, is-cam(top=10; steps=4)"', DEFAULT_SPECS)
  .option('--model <model>', 'name, path of a manifest or of its folder', DEFAULT_MODEL)
  .option('--limit <n>', `images (default: ${DEFAULT_SCENES} scenes, or all files)`)
  .option('--metrics <list>', METRICS.join(','), METRICS.join(','))
  .option('--steps <n>', 'steps of insertion and deletion', '100')
  .option('--sanity <n>', 'cascading randomisation on the first n images', '1')
  .option('--pictures <n>', 'images in gallery.png', '4')
  .option('--seed <n>', 'seed of the first scene', String(FIRST_SEED))
  .option('--runtime <name>', `what runs it: ${HOST_NAMES.join(', ')}`, 'chrome')
  .option(
    '--out <folder>',
    'where the files go (default: out/evaluation, out/argument or out/saturation); a run with the same settings goes on',
  )
  .option('--restart', 'forget what is there')
  .option(
    '--shard <k/n>',
    'only every nth image from the kth on, such as 3/16, in a folder of its own in --out',
  )
  .option('--merge', 'instead, the results of all shards in --out, whose settings they have')
  .option(
    '--argument [image]',
    'instead, Score-CAM against gradients on one image (default: a scene)',
  )
  .option(
    '--class <class>',
    "of --argument: index or label (default: the scene's first object, or the likeliest)",
  )
  .option(
    '--saturation <n>',
    'instead, what is left of gradients on n scenes with one object, where the network is sure',
  )
  .option('--dry-run', 'only say how much there is to do');

async function evaluate(signal: AbortSignal): Promise<void> {
  const options = parsed<Options>(program);
  const out = parseFilled('--out', options.out, 'give a folder');
  const runtime = parseName('--runtime', options.runtime, HOST_NAMES) as HostName;
  const ofFiles = options.images !== undefined || typeof options.argument === 'string';
  if (ofFiles && !HOSTS[runtime].decodes) {
    throw usageError(
      `--runtime ${runtime} reads no image files: give none, for drawn scenes, or take chrome or firefox.`,
    );
  }
  if (options.argument) {
    const subject = subjectOf(options.argument, options.seed);
    return argueOver(subject, { ...options, runtime, out: out ?? 'out/argument' }, signal);
  }
  if (options.saturation !== undefined) {
    const scenes = parseWhole('--saturation', options.saturation, 1);
    const firstSeed = parseUnseenSeed(options.seed);
    const folder = out ?? 'out/saturation';
    return saturateOver({ model: options.model, runtime, scenes, firstSeed, out: folder }, signal);
  }
  if (options.class !== undefined) throw usageError('--class is of use to --argument only.');
  const folder = out ?? 'out/evaluation';
  if (options.merge) return merge(folder, signal);
  const shard = options.shard === undefined ? undefined : parseShard(options.shard);
  const specs = parseSpecs(options.methods);
  const metrics = parseList(options.metrics).map((name) => parseName('--metrics', name, METRICS));
  const counts = {
    ...parseLimits(options),
    pictures: parseWhole('--pictures', options.pictures, 0),
    sanity: parseWhole('--sanity', options.sanity, 0),
    steps: parseWhole('--steps', options.steps, 1),
  };
  const source = findModelOnDisk(options.model);
  const network = await readNetwork(source, signal);
  const { subjects, notes } = subjectsOf(options, network.labels);
  for (const note of notes) console.error(printable(note));
  const all = tasksOf(subjects, metrics, counts);
  const tasks = shard ? shareOf(all, shard) : all;
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
    `${shard ? `Shard ${options.shard} of ${counted(subjects.length, 'image')}: ` : ''}` +
      `${counted(tasks.length, 'image')} by ${specs.length} methods: about ${perImage} forward passes an image for the ` +
      `maps, and ${last - perImage} to measure them${first > last ? `; on the first images up to ${first - last} more` : ''}.`,
  );
  if (options.dryRun) return;
  const own = shard ? shardFolder(folder, shard) : folder;
  checkWritable(own);
  const settings = {
    model: options.model,
    methods: specs.map(({ name }) => name),
    images: options.images ?? `scenes from seed ${options.seed}`,
    boxes: options.boxes ?? null,
    metrics,
    ...parseLimits(options),
    steps: counts.steps,
  };
  const store = Store.open(
    own,
    shard ? settingsOfShard(settings, shard, counts, subjects) : settings,
    options.restart ?? false,
  );
  const names = tasks.map(({ name }) => name);

  const display = new ProgressDisplay();
  const onStep = display.update.bind(display);
  let session: Session | undefined;
  try {
    if (shard) keepImages(own, names);
    // Else the shard was done before, or there are more shards than images.
    if (!shard || !tasks.every((task) => isDone(task, specs, store))) {
      session = await Session.open({ runtime, signal, onStep, folders: [dirname(source.path)] });
      const address = fileAddress(session.url, source.path);
      const { adapter, model } = await session.call('open', address);
      store.addRun({ model: model.name, adapter, browser: session.version });
      const outside = await measureAll(
        session,
        store,
        address,
        tasks,
        specs,
        counts.steps,
        costsOf,
        onStep,
        signal,
      );
      display.stop();
      if (outside > 0) {
        console.error(
          `${counted(outside, 'box', 'boxes')} left out, where the network does not look.`,
        );
      }
    }
    if (!session || shard) {
      console.log(
        `${counted(tasks.length, 'image')} of ${subjects.length} done in ${own}. With all shards there: ` +
          `npm run evaluate -- --merge --out ${folder}`,
      );
      return;
    }
    const text = await writeResults(
      folder,
      { ...counts, found: store, specs, images: names },
      galleryBy(signal),
    );
    tellResults(text, folder);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    const kept = `Stopped: what is finished is kept in ${own}, and the same command goes on there.`;
    throw new Interrupted(error.signal, kept);
  } finally {
    display.stop();
    await session?.close();
  }
}

async function merge(folder: string, signal: AbortSignal): Promise<void> {
  for (const option of program.options) {
    const name = option.attributeName();
    if (name === 'merge' || name === 'out' || program.getOptionValueSource(name) !== 'cli')
      continue;
    throw usageError(
      `${option.long} is of no use to --merge, which takes its settings from the shards.`,
    );
  }
  tellResults(await mergeShards(folder, galleryBy(signal)), folder);
}

/** In a Chrome of its own: what computed the maps may have no canvas. */
function galleryBy(signal: AbortSignal): DrawGallery {
  return async (...shown) => {
    const session = await Session.open({ signal, onStep: () => {} });
    try {
      return await session.call('gallery', ...shown);
    } finally {
      await session.close();
    }
  };
}

function tellResults(text: string, folder: string): void {
  console.log(printable(text, 'lines'));
  console.log(
    `\nWrote to ${folder}: table.md, table.csv, times.csv, results.json, gallery.png and plots`,
  );
}

await runCommand(evaluate);
