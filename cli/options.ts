/** What the words of the command line mean; everything here is checked before a browser starts. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fits } from '../src/explain/check';
import { type MethodOption, type NumberOption, OPTIONS } from '../src/explain/methods/options';
import { METHOD_NAMES, METHODS, type Method, takers } from '../src/explain/methods/registry';
import { editDistance } from '../src/explain/nearest';
import { allowed } from '../src/explain/refusals';
import { FLAG, type Rule } from '../src/explain/rules';
import { type Description, described } from '../src/model/description';
import { readNetworkFile } from '../src/model/foreign';
import type { Manifest } from '../src/model/manifest';
import { locateModel } from '../src/model/model';
import type { Network } from '../src/model/network';
import { networkOf } from '../src/model/network-of';
import { presetManifest } from '../src/model/preset-manifests';
import { PRESETS } from '../src/model/presets';
import { seededManifestOf } from '../src/model/seeded-manifest';
import type { WeightDtype } from '../src/numbers/dtypes';
import { CliError, usageError } from './errors';
import { parseBoolean, parseList, parseName } from './option-types';
import { projectRoot } from './server';
import { WeightFiles } from './weight-files';

export const DEFAULT_MODEL = 'scenes-vgg16';

/** Where models are found by name. */
const WEIGHTS_FOLDER = join(projectRoot, 'weights');

export type AskedClass = 'auto' | number;

/** Where a model's manifest is. */
export type ModelSource =
  | { readonly kind: 'generated'; readonly name: string }
  /** ImageNet's weights that are not on this disk yet; `folder` is where they belong. */
  | {
      readonly kind: 'preset';
      readonly manifest: Manifest;
      readonly dtype: WeightDtype;
      readonly folder: string;
    }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'url'; readonly url: string };

/** Finds a model by name (a folder of `weightsFolder`, a preset, or vgg16-seeded-N and the like), path or URL. */
export function findModel(text: string, weightsFolder: string = WEIGHTS_FOLDER): ModelSource {
  if (seededManifestOf(text)) return { kind: 'generated', name: text };
  if (/^https?:\/\//i.test(text)) return { kind: 'url', url: text };
  const named = join(weightsFolder, text, 'manifest.json');
  if (/^[\w.-]+$/.test(text) && existsSync(named)) return { kind: 'file', path: named };
  const preset = presetSource(text, weightsFolder);
  const path = resolve(text);
  if (existsSync(path)) {
    const inside = ['manifest.json', 'model.json'].map((name) => join(path, name));
    const file = statSync(path).isDirectory() ? inside.find((one) => existsSync(one)) : path;
    if (file) return { kind: 'file', path: file };
    // A download that was stopped leaves such a folder, which must not hide the preset it is for.
    if (!preset)
      throw new CliError(
        `The folder "${text}" has no manifest.json and no model.json, so it is no model.`,
      );
  }
  if (preset) return preset;
  throw usageError(
    `There is no model "${text}": give ${DEFAULT_MODEL}, ${PRESETS.join(', ')} (with -f16 or -int8 for a ` +
      'smaller form), vgg16-seeded-N, the path of a manifest, an .onnx file, a model.json or their folder, or a URL.',
  );
}

/** The same for commands that take models on this disk only. */
export function findModelOnDisk(text: string): Extract<ModelSource, { kind: 'file' }> {
  const source = findModel(text);
  if (source.kind === 'file') return source;
  throw usageError(`--model ${text}: give a model on this disk; npm run weights makes one.`);
}

function presetSource(text: string, weightsFolder: string): ModelSource | undefined {
  const [, name = text, form = 'f32'] = /^(.*)-(f16|int8)$/.exec(text) ?? [];
  const manifest = presetManifest(name);
  if (!manifest) return undefined;
  return {
    kind: 'preset',
    manifest,
    dtype: form as WeightDtype,
    folder: join(weightsFolder, text),
  };
}

/** Reads a network's file and works out the network, so that what is asked can be checked against it. */
export async function readNetwork(
  source: ModelSource,
  signal: AbortSignal,
  said: Description = {},
): Promise<Network> {
  if (source.kind === 'generated') return (await locateModel(source.name, said)).network;
  if (source.kind === 'preset') return networkOf(await described(source.manifest, said));
  if (source.kind === 'url') return (await locateModel(source.url, { signal, ...said })).network;
  const files = new WeightFiles(source.path, { downloads: '', signal, onStep: () => {} });
  try {
    const { manifest, weights } = await readNetworkFile(
      await files.main(),
      (path) => files.sibling(path),
      said,
    );
    return networkOf(weights ? manifest : await described(manifest, said));
  } finally {
    await files.close();
  }
}

/** Reads the image's bytes; whether they are an image is for the browser to say. */
export function readImage(path: string): Buffer {
  if (!existsSync(path)) throw new CliError(`There is no file ${path}: give the path of an image.`);
  if (!statSync(path).isFile()) {
    throw new CliError(`${path} is not a file: give the path of a PNG or JPEG image.`);
  }
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new CliError(`The image cannot be read: ${(error as Error).message}`);
  }
  if (bytes.length === 0)
    throw new CliError(`${path} is empty (0 bytes): give a PNG or JPEG image.`);
  return bytes;
}

/** What of the methods' options was given, in the words of the library. */
export type GivenOptions = Partial<Record<MethodOption, unknown>>;

export const METHOD_OPTIONS = Object.keys(OPTIONS) as MethodOption[];

/** As the command line writes it: `--align-corners`. */
export function spelling(option: MethodOption): string {
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** How the help shows an option of methods: with its kind of value, and to whom it is of use, with their defaults. */
export function declared(option: MethodOption): [flags: string, description: string] {
  const rule: Rule & { readonly summary: string } = OPTIONS[option];
  const value =
    'names' in rule
      ? '<name>'
      : 'least' in rule
        ? `<${rule.whole ? 'n' : 'share'}>`
        : rule.kind === FLAG.kind
          ? '[bool]'
          : '<list>';
  const range = option === 'channels' ? 'such as 0-7,12' : allowed(rule);
  const takes = takers(option).map((name) => {
    const own = METHODS[name].options[option];
    return own === undefined ? name : `${name} (${own})`;
  });
  return [`${spelling(option)} ${value}`, `${rule.summary}: ${range}; of ${takes.join(', ')}`];
}

/** What was given for an option of methods, as the library takes it. @param total channels of the layer */
export function parseOption(option: MethodOption, given: string | true, total: number): unknown {
  // `--validate` alone is `--validate true`.
  const text = String(given);
  const rule: Rule = OPTIONS[option];
  if ('names' in rule) return parseName(spelling(option), text, rule.names);
  if ('least' in rule) return parseNumber(option as NumberOption, text);
  return rule.kind === FLAG.kind
    ? parseBoolean(spelling(option), text)
    : parseChannels(text, total);
}

/** Methods separated by commas, each once; every option given must be of use to one of them. */
export function parseMethods(text: string, given: GivenOptions): Method[] {
  const methods = text.split(',').map((part) => {
    const method = METHOD_NAMES.find((name) => name === part.trim());
    if (method) return method;
    throw usageError(
      `There is no method "${part.trim()}". Choose one or several, with commas, from: ${METHOD_NAMES.join(', ')}.`,
    );
  });
  for (const option of METHOD_OPTIONS) {
    if (given[option] === undefined) continue;
    const taking = takers(option);
    if (methods.some((name) => taking.includes(name))) continue;
    throw usageError(
      `${spelling(option)} is of no use to ${methods.join(', ')}: it belongs to ${taking.join(', ')}.`,
    );
  }
  return [...new Set(methods)];
}

/** A number that the library takes under that name. */
export function parseNumber(option: NumberOption, text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && fits(OPTIONS[option], value)) return value;
  throw usageError(`${spelling(option)} "${text}": give ${allowed(OPTIONS[option])}.`);
}

/** Channels such as `0-7,12`, all below `total`. */
export function parseChannels(text: string, total: number): number[] {
  // Marks, and no lists to join: the same range may be named ten thousand times.
  const marks = new Uint8Array(total);
  for (const part of text.split(',')) {
    const range = /^\s*(\d+)\s*(?:-\s*(\d+)\s*)?$/.exec(part);
    if (!range) {
      throw usageError(
        `--channels "${text}": "${part}" is no number or range. Write it like 0-7,12.`,
      );
    }
    const first = Number(range[1]);
    const last = Number(range[2] ?? range[1]);
    if (first > last) {
      throw usageError(`--channels "${text}": the range "${part}" runs backwards.`);
    }
    if (last >= total) {
      throw usageError(
        `--channels "${text}": there is no channel ${last}, the layer's are numbered 0 to ${total - 1}.`,
      );
    }
    marks.fill(1, first, last + 1);
  }
  return [...marks.keys()].filter((channel) => marks[channel] === 1);
}

/**
 * Classes separated by commas: `auto` (the likeliest), indices or labels. Labels may hold commas
 * themselves: the longest label that fits wins.
 */
export function parseClasses(text: string, labels: readonly string[]): AskedClass[] {
  const pieces = parseList(text);
  const known = new Labels(labels);
  const found: AskedClass[] = [];
  for (let at = 0; at < pieces.length; ) {
    let end = Math.min(pieces.length, at + known.mostPieces);
    while (end > at + 1 && known.find(pieces.slice(at, end).join()).length === 0) end--;
    found.push(oneClass(pieces.slice(at, end), labels, known));
    at = end;
  }
  return [...new Set(found)];
}

function oneClass(pieces: readonly string[], labels: readonly string[], known: Labels): AskedClass {
  const wanted = pieces.join(', ');
  if (wanted === 'auto') return 'auto';
  if (/^\d+$/.test(wanted)) {
    if (Number(wanted) < labels.length) return Number(wanted);
    throw usageError(
      `There is no class ${wanted}: this model's classes are numbered 0 to ${labels.length - 1}.`,
    );
  }
  const [index, ...more] = known.find(wanted);
  if (index === undefined) {
    const close = closeLabels(wanted, labels);
    throw usageError(
      `There is no class "${wanted}". ${close.length > 0 ? 'Close ones' : 'There are'}: ` +
        `${(close.length > 0 ? close : labels.slice(0, 12)).join('; ')}` +
        `${close.length === 0 && labels.length > 12 ? '; ...' : ''}. ` +
        `An index from 0 to ${labels.length - 1} or auto will do too.`,
    );
  }
  if (more.length > 0) {
    throw usageError(
      `${more.length + 1} classes are called "${wanted}": give an index, ${[index, ...more].join(' or ')}.`,
    );
  }
  return index;
}

/** A model's labels, looked up. */
class Labels {
  /** Pieces between commas of the label that has most. */
  readonly mostPieces: number;
  private readonly exact = new Map<string, number[]>();
  private readonly anyCase = new Map<string, number[]>();

  constructor(labels: readonly string[]) {
    this.mostPieces = labels.reduce((most, label) => Math.max(most, label.split(',').length), 1);
    const add = (to: Map<string, number[]>, label: string, index: number): void => {
      const known = to.get(label);
      if (known) known.push(index);
      else to.set(label, [index]);
    };
    for (const [index, label] of labels.entries()) {
      const plain = parseList(label).join();
      add(this.exact, plain, index);
      add(this.anyCase, plain.toLowerCase(), index);
    }
  }

  /** Indices of the classes with this label: those written just so, else those that differ in case. */
  find(wanted: string): readonly number[] {
    const plain = parseList(wanted).join();
    return this.exact.get(plain) ?? this.anyCase.get(plain.toLowerCase()) ?? [];
  }
}

/** Up to five labels that contain the text or nearly spell it, best first. */
export function closeLabels(wanted: string, labels: readonly string[]): string[] {
  const text = wanted.toLowerCase();
  return labels
    .map((label) => {
      const other = label.toLowerCase();
      const part = text.length > 1 && (other.includes(text) || text.includes(other));
      // Each letter that one has more is a difference: of texts far apart in length nothing else is asked.
      const isFar = Math.abs(text.length - other.length) > Math.max(1, text.length / 3);
      return {
        label,
        distance: part ? 0.5 : isFar ? Number.POSITIVE_INFINITY : editDistance(text, other),
      };
    })
    .filter(({ distance }) => distance <= Math.max(1, text.length / 3))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 5)
    .map(({ label }) => label);
}

/** The image's name without its ending, or the folder's: out/<name> is where results go unless asked otherwise. */
export function defaultOut(imagePath: string, isFolder = false): string {
  if (isFolder) return join('out', basename(resolve(imagePath)) || 'images');
  const name = basename(imagePath).replace(/\.[^.]*$/, '');
  return join('out', name || basename(dirname(resolve(imagePath))) || 'image');
}
