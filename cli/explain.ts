import { statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { MethodOption } from '../src/explain/methods/options';
import { METHOD_NAMES, METHODS } from '../src/explain/methods/registry';
import { progressMeter, type Step } from '../src/explain/progress';
import { type Network, targetIndex } from '../src/model/network';
import { newCommand, parsed } from './command';
import { addDescription, type DescriptionWords, parseDescription } from './description';
import { CliError, runCommand, usageError } from './errors';
import { describe } from './explanation/describe';
import { FILE_KINDS, parseFileKinds } from './explanation/file-kinds';
import { explainFolder, LINES } from './explanation/folder';
import { onDisk } from './explanation/ready-model';
import { collect } from './explanation/summary';
import { Workplace, type WorkplaceOptions } from './explanation/workplace';
import { HOST_NAMES, type HostName } from './hosts/hosts';
import { imageFiles } from './image-files';
import { keepSettings } from './kept-settings';
import { parseFilled, parseList, parseName } from './option-types';
import {
  DEFAULT_MODEL,
  declared,
  defaultOut,
  findModel,
  METHOD_OPTIONS,
  parseClasses,
  parseMethods,
  parseOption,
  readImage,
  readNetwork,
} from './options';
import { checkWritable, writeAll } from './output';
import type { ExplainRequest } from './page-api';
import { ProgressDisplay } from './progress';
import { projectRoot } from './server';
import { printable } from './words';

interface Options extends DescriptionWords, Partial<Record<MethodOption, string | true>> {
  model: string;
  class: string;
  layer?: string;
  method: string;
  out?: string;
  files: string;
  restart?: boolean;
  runtime: string;
  json?: boolean;
}

const SAMPLE = join(projectRoot, 'weights', DEFAULT_MODEL, 'sample.png');

const program = newCommand(
  'explain',
  'Shows where a network looks for a class, with Score-CAM on WebGPU, in headless Chrome or without a browser.',
)
  .usage('[IMAGE or FOLDER] [options]')
  .argument(
    '[IMAGE]',
    'PNG or JPEG of any size, or a folder of such',
    relative(process.cwd(), SAMPLE),
  )
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
  .option(
    '--out <folder>',
    'where the files go (default: out/<image name>); for a folder, a run goes on there',
  )
  .option(
    '--files <kinds>',
    `which, beside result.json: none, or of ${FILE_KINDS.join(', ')}`,
    FILE_KINDS.join(),
  )
  .option('--restart', 'of a folder: forget what is there')
  .option('--runtime <name>', `what runs it: ${HOST_NAMES.join(', ')}`, 'chrome')
  .option(
    '--json',
    `print result.json instead of a summary; of a folder, the lines of ${LINES} as they come`,
  );

async function explain(signal: AbortSignal): Promise<void> {
  const options = parsed<Options>(program);
  const path = program.processedArgs[0] as string;
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  if (options.restart && !isFolder) throw usageError('--restart is of use to a folder only.');
  const out = parseFilled('--out', options.out, 'give a folder') ?? defaultOut(path, isFolder);
  const images = isFolder ? imageFiles('The folder', path, out) : [];
  const image = isFolder ? undefined : readImage(path);
  const runtime = parseName('--runtime', options.runtime, HOST_NAMES) as HostName;
  const found = findModel(options.model);
  const said = parseDescription(options);
  const network = await readNetwork(found, signal, said);
  const request = requestOf(options, network);
  checkWritable(out);

  const display = new ProgressDisplay();
  const onStep = display.update.bind(display);
  try {
    const source = await onDisk(found, signal, onStep);
    const place = { runtime, source, said, signal, onStep };
    if (image) {
      await explainImage(image, path, out, request, place, options.json ?? false, display);
    } else {
      const settings = { folder: resolve(path), model: options.model, said, ...request };
      keepSettings(out, settings, options.restart ?? false, [LINES]);
      const work = { folder: path, images, out, request, json: options.json ?? false };
      // Of the images' own steps there would be too many to read.
      const onLoading = (step: Step): void => (step.phase === 'weights' ? onStep(step) : undefined);
      const meter = progressMeter('images', onStep, { resumes: true });
      await explainFolder(work, { ...place, onStep: onLoading }, meter);
      display.stop();
      const files = request.files.length > 0 ? `${LINES}, and a folder an image` : LINES;
      if (!options.json) console.log(`Wrote to ${out}: ${files}`);
    }
  } finally {
    display.stop();
  }
}

/** What is asked of every image. @throws CliError for what this network or its methods do not have */
function requestOf(options: Options, network: Network): ExplainRequest {
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
    files: parseFileKinds(options.files),
  };
  if (options.layer !== undefined && !request.methods.some((name) => METHODS[name].usesLayer)) {
    throw usageError(
      `--layer is of no use to ${request.methods.join(', ')}, which looks into no layer.`,
    );
  }
  // Known from the layers alone: before other methods have run for minutes.
  for (const method of request.methods) METHODS[method].check?.(network, layers);
  return request;
}

async function explainImage(
  image: Buffer,
  path: string,
  out: string,
  request: ExplainRequest,
  options: WorkplaceOptions,
  json: boolean,
  display: ProgressDisplay,
): Promise<void> {
  const place = await Workplace.open(options);
  try {
    await place.take(image, path);
    await place.load();
    const result = await place.explain(request);
    display.stop();
    const { summary, files } = collect(place.session.version, path, place.opened, result);
    options.signal.throwIfAborted();
    writeAll(out, files);
    console.log(
      printable(
        json ? JSON.stringify(summary, undefined, 2) : describe(summary, out, request.files),
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
    await place.close();
  }
}

await runCommand(explain);
