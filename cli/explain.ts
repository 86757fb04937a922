import { realpathSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import type { MethodOption } from '../src/explain/methods/options';
import { METHOD_NAMES, METHODS } from '../src/explain/methods/registry';
import type { Step } from '../src/explain/progress';
import { adapterName } from '../src/gpu/facts';
import { targetIndex } from '../src/model/network';
import { newCommand, parsed } from './command';
import { decoded } from './decode';
import { addDescription, type DescriptionWords, parseDescription } from './description';
import { CliError, runCommand, usageError } from './errors';
import { HOST_NAMES, HOSTS, type HostName } from './hosts/hosts';
import { parseFilled, parseList, parseName } from './option-types';
import {
  DEFAULT_MODEL,
  declared,
  defaultOut,
  findModel,
  METHOD_OPTIONS,
  type ModelSource,
  parseClasses,
  parseMethods,
  parseOption,
  readImage,
  readNetwork,
} from './options';
import { checkWritable, suffixes, writeAll } from './output';
import type { ClassResult, ExplainResult, MethodResult, Opened } from './page-api';
import { pngOf } from './png';
import { prepareModel } from './prepare';
import { ProgressDisplay } from './progress';
import { fileAddress, projectRoot, remoteAddress } from './server';
import { Session } from './session';
import { percent, printable } from './words';

interface Options extends DescriptionWords, Partial<Record<MethodOption, string>> {
  model: string;
  class: string;
  layer?: string;
  method: string;
  out?: string;
  runtime: string;
  json?: boolean;
}

const SAMPLE = join(projectRoot, 'weights', DEFAULT_MODEL, 'sample.png');

const program = newCommand(
  'explain',
  'Shows where a network looks for a class, with Score-CAM on WebGPU, in headless Chrome or without a browser.',
)
  .usage('[IMAGE] [options]')
  .argument('[IMAGE]', 'PNG or JPEG of any size', relative(process.cwd(), SAMPLE))
  .option(
    '--model <model>',
    'name, path or URL of a manifest, an .onnx file or a TensorFlow.js model.json',
    DEFAULT_MODEL,
  )
  .option('--class <classes>', 'auto, index or label; several with commas', 'auto')
  .option('--layer <names>', "target layer, or several to fuse (default: the model's own)")
  .option('--method <names>', `${METHOD_NAMES.join(', ')}; several to compare`, 'score-cam');
addDescription(program);
for (const option of METHOD_OPTIONS) program.option(...declared(option));
program
  .option('--out <folder>', 'where the files go (default: out/<image name>)')
  .option('--runtime <name>', `what runs it: ${HOST_NAMES.join(', ')}`, 'chrome')
  .option('--json', 'print result.json instead of a summary');

async function explain(signal: AbortSignal): Promise<void> {
  const options = parsed<Options>(program);
  const imagePath = program.processedArgs[0] as string;
  const out = parseFilled('--out', options.out, 'give a folder') ?? defaultOut(imagePath);
  const image = readImage(imagePath);
  const runtime = parseName('--runtime', options.runtime, HOST_NAMES) as HostName;
  const found = findModel(options.model);
  const said = parseDescription(options);
  const network = await readNetwork(found, signal, said);
  const layers = parseList(options.layer ?? network.targetLayer);
  const indices = layers.map((layer) => targetIndex(network, layer));
  if (options.channels !== undefined && layers.length > 1) {
    throw usageError(
      `--channels numbers the channels of one layer: give one, not ${options.layer}.`,
    );
  }
  const channelCount = network.layers[indices[0] as number]?.output.channels ?? 0;
  const given = Object.fromEntries(
    METHOD_OPTIONS.flatMap((option) => {
      const text = options[option];
      return text === undefined ? [] : [[option, parseOption(option, text, channelCount)]];
    }),
  );
  const request = {
    classes: parseClasses(options.class, network.labels),
    layers,
    methods: parseMethods(options.method, given),
    options: given,
  };
  if (options.layer !== undefined && !request.methods.some((name) => METHODS[name].usesLayer)) {
    throw usageError(
      `--layer is of no use to ${request.methods.join(', ')}, which looks into no layer.`,
    );
  }
  // Known from the layers alone: before other methods have run for minutes.
  for (const method of request.methods) METHODS[method].check?.(network, layers);
  checkWritable(out);

  const display = new ProgressDisplay();
  const onStep = display.update.bind(display);
  let session: Session | undefined;
  try {
    const source = await onDisk(found, signal, onStep);
    session = await Session.open({ runtime, signal, onStep, ...reachOf(source) });
    if (HOSTS[runtime].decodes) {
      await session.call('takeImage', image.toString('base64'), basename(imagePath));
    } else {
      await session.call('takePixels', await decoded(image, basename(imagePath)));
    }
    const opened = await session.call('open', addressOf(source, session.url), said);
    const result = await session.call('explain', request);
    display.stop();
    const { summary, files } = collect(session.version, imagePath, opened, result);
    signal.throwIfAborted();
    writeAll(out, files);
    console.log(
      printable(
        options.json
          ? JSON.stringify(summary, undefined, 2)
          : describe(summary, out, [...files.keys()]),
        'lines',
      ),
    );
    if (summary.failed.length > 0) {
      const reasons = summary.failed.map(({ method, message }) => `${method}: ${message}`);
      throw new CliError(
        `No result by ${reasons.join('; ')} What the other methods found was written.`,
      );
    }
  } finally {
    display.stop();
    await session?.close();
  }
}

/** Downloads a preset that is not on this disk yet. */
async function onDisk(
  source: ModelSource,
  signal: AbortSignal,
  onStep: (step: Step) => void,
): Promise<ReadyModel> {
  if (source.kind !== 'preset') return source;
  const { manifest, dtype, folder } = source;
  const options = { manifest, dtype, out: folder, keepDownload: false, signal, onStep };
  const prepared = await prepareModel(options);
  return { kind: 'file', path: prepared.manifest };
}

type ReadyModel = Exclude<ModelSource, { kind: 'preset' }>;

/** What the local server must make reachable for this model. */
function reachOf(source: ReadyModel): { folders?: string[]; remoteOrigin?: string } {
  if (source.kind === 'file') return { folders: [dirname(realpathSync(source.path))] };
  return source.kind === 'url' ? { remoteOrigin: new URL(source.url).origin } : {};
}

/** The model as the page is to name it. */
function addressOf(source: ReadyModel, base: string): string {
  if (source.kind === 'generated') return source.name;
  return source.kind === 'url'
    ? remoteAddress(base, source.url)
    : fileAddress(base, realpathSync(source.path));
}

/** One class by one method, with its files. */
type ListedClass = Pick<ClassResult, 'class' | 'map' | 'weights'> & {
  readonly files: { readonly overlay: string; readonly heatmap: string; readonly map: string };
};

/** One method, with its files. */
type ListedMethod = Omit<MethodResult, 'scoresBytes' | 'classes'> & {
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
function collect(
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
    const names = {
      overlay: `overlay${ending}.png`,
      heatmap: `heatmap${ending}.png`,
      map: `map${ending}.f32`,
    };
    files.set(names.overlay, pngOf(one.overlay));
    files.set(names.heatmap, pngOf(one.heatmap));
    files.set(names.map, Buffer.from(one.mapBytes, 'base64'));
    return { class: one.class, map: one.map, weights: one.weights, files: names };
  });
}

/** The result for people. */
function describe(summary: Summary, out: string, files: readonly string[]): string {
  const { adapter, classes, top, methods } = summary;
  const lines = classes.map(({ class: { index, label, probability } }, i) => {
    const flat = methods.flatMap(({ method, classes: own }) => (own[i]?.map.flat ? [method] : []));
    const whose = methods.length > 1 ? `its map by ${flat.join(', ')} is` : 'its map is';
    const note =
      flat.length > 0 ? `; ${whose} FLAT: no place counts more than another, nothing to see` : '';
    return `${printable(label)} (class ${index}): probability ${percent(probability)}${note}`;
  });
  const others = top.filter(({ index }) => !classes.some((one) => one.class.index === index));
  if (others.length > 0) {
    const listed = others.map(
      ({ label, probability }) => `${printable(label)} ${percent(probability)}`,
    );
    lines.push(`Likely, too: ${listed.join(', ')}`);
  }
  if (methods.length > 1 && !files.includes('comparison.png')) {
    lines.push(`No comparison.png: ${summary.runtime} has no canvas to draw it on.`);
  }
  lines.push(
    ...methods.map(describeMethod),
    `Adapter: ${adapterName(adapter)}, in ${summary.runtime}`,
    `Wrote to ${out}: ${files.join(', ')}`,
  );
  return lines.join('\n');
}

function describeMethod({ method, channels, passes, timings, ...facts }: ListedMethod): string {
  const layer = printable(facts.layer);
  const seconds = `${(timings.total / 1000).toFixed(1)} s`;
  if (method === 'score-cam') {
    return (
      `${channels.evaluated} of ${channels.total} channels of ${layer} evaluated, ` +
      `${channels.constant} constant and skipped; ${seconds}`
    );
  }
  const run = Object.entries(passes).map(([kind, count]) => `${kind} ${count}`);
  return `${method}${layer ? ` of ${layer}` : ''}: passes ${run.join(', ')}; ${seconds}`;
}

await runCommand(explain);
