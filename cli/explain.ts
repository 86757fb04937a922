import { realpathSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { Command, CommanderError } from 'commander';
import { targetIndex } from '../src/model/network';
import { CliError, runCommand, usageError } from './errors';
import {
  DEFAULT_MODEL,
  defaultOut,
  findModel,
  type ModelSource,
  parseChannels,
  parseClasses,
  readImage,
  readNetwork,
} from './options';
import { checkWritable, suffixes, writeAll } from './output';
import type { ClassResult, ExplainResult, Opened } from './page';
import { prepareModel } from './prepare';
import { ProgressDisplay, type Step } from './progress';
import { fileAddress, projectRoot, remoteAddress } from './server';
import { Session } from './session';

interface Options {
  model: string;
  class: string;
  layer?: string;
  method?: string;
  weighting?: string;
  channels?: string;
  out?: string;
  json?: boolean;
}

const SAMPLE = join(projectRoot, 'weights', DEFAULT_MODEL, 'sample.png');

const program = new Command('explain')
  .usage('[IMAGE] [options]')
  .description(
    'Shows where a network looks for a class, with Score-CAM on WebGPU in headless Chrome.',
  )
  .argument('[IMAGE]', 'PNG or JPEG of any size', relative(process.cwd(), SAMPLE))
  .option('--model <model>', 'name, path of a manifest or of its folder, or URL', DEFAULT_MODEL)
  .option('--class <classes>', 'auto, index or label; several with commas', 'auto')
  .option('--layer <name>', "target layer (default: the model's own)")
  .option('--method <name>', 'score-cam')
  .option('--weighting <name>', 'probability')
  .option('--channels <list>', 'only these channels, such as 0-7,12')
  .option('--out <folder>', 'where the files go (default: out/<image name>)')
  .option('--json', 'print result.json instead of a summary')
  .exitOverride()
  .configureOutput({ outputError: () => {} });

async function explain(signal: AbortSignal): Promise<void> {
  const [imagePath, options] = parseArguments();
  const out = options.out ?? defaultOut(imagePath);
  if (out === '') throw usageError('--out is empty: give a folder.');
  const image = readImage(imagePath);
  const found = findModel(options.model, join(projectRoot, 'weights'));
  const network = await readNetwork(found, signal);
  const layer = options.layer ?? network.targetLayer;
  const channelCount = network.layers[targetIndex(network, layer)]?.output.channels ?? 0;
  const request = {
    classes: parseClasses(options.class, network.labels),
    layer,
    method: options.method,
    weighting: options.weighting,
    channels:
      options.channels === undefined ? undefined : parseChannels(options.channels, channelCount),
  };
  checkWritable(out);

  const display = new ProgressDisplay();
  const onStep = display.update.bind(display);
  let session: Session | undefined;
  try {
    const source = await onDisk(found, signal, onStep);
    session = await Session.open({ signal, onStep, ...reachOf(source) });
    await session.call('takeImage', image.toString('base64'), basename(imagePath));
    const opened = await session.call('open', addressOf(source, session.url));
    const result = await session.call('explain', request);
    display.stop();
    const { summary, files } = collect(imagePath, opened, result);
    signal.throwIfAborted();
    writeAll(out, files);
    console.log(
      options.json
        ? JSON.stringify(summary, undefined, 2)
        : describe(summary, out, [...files.keys()]),
    );
  } finally {
    display.stop();
    await session?.close();
  }
}

function parseArguments(): [string, Options] {
  try {
    program.parse();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) process.exit(0);
    throw new CliError(`${error.message.replace(/^error: /, '')} (--help lists the options)`, 2);
  }
  return [program.processedArgs[0] as string, program.opts<Options>()];
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

export interface Summary {
  readonly model: string;
  readonly adapter: Pick<
    Opened['adapter'],
    'vendor' | 'architecture' | 'description' | 'isFallback'
  >;
  readonly image: string;
  readonly top: ExplainResult['top'];
  readonly class: ClassResult['class'];
  readonly layer: string;
  readonly method: string;
  readonly weighting: string;
  readonly channels: ExplainResult['channels'];
  readonly weights: readonly number[];
  readonly timings: ExplainResult['timings'];
  readonly map: ClassResult['map'];
  /** Every class asked for, the first one too, with its files. */
  readonly classes: readonly (Pick<ClassResult, 'class' | 'map' | 'weights'> & {
    readonly files: { readonly overlay: string; readonly heatmap: string; readonly map: string };
  })[];
}

/** All files of a result, in memory. */
function collect(
  image: string,
  opened: Opened,
  result: ExplainResult,
): { summary: Summary; files: Map<string, Uint8Array> } {
  const { vendor, architecture, description, isFallback } = opened.adapter;
  const { scoresBytes, classes, ...facts } = result;
  const files = new Map<string, Uint8Array>();
  const endings = suffixes(classes.map((one) => one.class));
  const listed = classes.map((one, i) => {
    const ending = endings[i] as string;
    const names = {
      overlay: `overlay${ending}.png`,
      heatmap: `heatmap${ending}.png`,
      map: `map${ending}.f32`,
    };
    files.set(names.overlay, Buffer.from(one.overlay, 'base64'));
    files.set(names.heatmap, Buffer.from(one.heatmap, 'base64'));
    files.set(names.map, Buffer.from(one.mapBytes, 'base64'));
    return { class: one.class, map: one.map, weights: one.weights, files: names };
  });
  const [main] = listed as [(typeof listed)[number]];
  const summary: Summary = {
    model: opened.model.name,
    adapter: { vendor, architecture, description, isFallback },
    image,
    top: facts.top,
    class: main.class,
    layer: facts.layer,
    method: facts.method,
    weighting: facts.weighting,
    channels: facts.channels,
    weights: main.weights,
    timings: facts.timings,
    map: main.map,
    classes: listed,
  };
  files.set('scores.f32', Buffer.from(scoresBytes, 'base64'));
  files.set('result.json', Buffer.from(`${JSON.stringify(summary, undefined, 2)}\n`));
  return { summary, files };
}

/** The result for people. */
function describe(summary: Summary, out: string, files: readonly string[]): string {
  const { adapter, channels, timings, classes, top } = summary;
  const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
  const lines = classes.map(({ class: { index, label, probability }, map }) => {
    const flat = map.flat
      ? '; its map is FLAT: no place counts more than another, nothing to see'
      : '';
    return `${label} (class ${index}): probability ${percent(probability)}${flat}`;
  });
  const others = top.filter(({ index }) => !classes.some((one) => one.class.index === index));
  if (others.length > 0) {
    const listed = others.map(({ label, probability }) => `${label} ${percent(probability)}`);
    lines.push(`Likely, too: ${listed.join(', ')}`);
  }
  lines.push(
    `${channels.evaluated} of ${channels.total} channels of ${summary.layer} evaluated, ` +
      `${channels.constant} constant and skipped; ${(timings.total / 1000).toFixed(1)} s`,
    `Adapter: ${adapterName(adapter)}`,
    `Wrote to ${out}: ${files.join(', ')}`,
  );
  return lines.join('\n');
}

function adapterName({
  vendor,
  architecture,
  description,
  isFallback,
}: Summary['adapter']): string {
  const name = description || [vendor, architecture].filter(Boolean).join(' ') || 'unnamed';
  return isFallback ? `${name} (software)` : name;
}

await runCommand(explain);
