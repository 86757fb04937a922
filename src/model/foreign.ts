import { ScoreCamError, shown } from '../errors';
import { type ByteSource, memorySource, type OpenSibling } from './bytes/byte-source';
import { type Description, sizeOf } from './description';
import { type JsonObject, LARGEST_JSON, readJson } from './formats/json';
import type { ForeignNetwork } from './formats/keras/convert';
import { type GraphManifest, parseGraph } from './graph/manifest';
import type { LocatedModel, OpenNetwork, OpenOptions } from './located';
import { type Manifest, readManifest } from './manifest';
import { MOST_OUTPUTS } from './manifest-base';
import { networkOf } from './network-of';
import type { WeightSource } from './weight-source';

/*
 * Networks in files that are no manifests: TensorFlow.js layers models and ONNX. Loaded when such a file comes.
 */

export interface ReadNetwork {
  readonly manifest: Manifest;
  /** Undefined where a manifest says where they are. */
  readonly weights: WeightSource | undefined;
}

/**
 * A network that is no manifest's, or the manifest.
 * @param address of its file, which tells its weights from others'; a name where it has none
 */
export async function locateForeign(
  open: OpenNetwork,
  address: string,
  options: OpenOptions,
): Promise<LocatedModel | Manifest> {
  let manifest: Manifest | undefined;
  const opened = async (): Promise<WeightSource> =>
    open(async (file, sibling) => {
      const found = await readNetworkFile(file, sibling, options);
      manifest = found.manifest;
      return found.weights ?? { name: file.name, tensors: new Map(), read: noWeights };
    });
  let first: WeightSource | undefined = await opened();
  const known = manifest as unknown as Manifest;
  if (first.read === noWeights) return known;
  if (options.weights !== undefined) {
    await first.close?.();
    throw new ScoreCamError(
      'option',
      `${address} has its weights with it: leave out the option weights, or give a manifest as the model.`,
    );
  }
  return {
    manifest: known,
    network: await networkOf(known),
    identity: /^https?:/.test(address) ? `${known.name} ${address} ` : undefined,
    async open() {
      const now = first ?? (await opened());
      first = undefined;
      return now;
    },
  };
}

const noWeights: WeightSource['read'] = () => Promise.reject(new Error('a manifest has none'));

/** Reads from bytes that have been fetched already. */
export function withBytes(
  bytes: Uint8Array<ArrayBuffer> | undefined,
  read: Parameters<OpenNetwork>[0],
): Parameters<OpenNetwork>[0] {
  return (file, sibling) => read(bytes ? memorySource(file.name, bytes) : file, sibling);
}

/** Beside a model, for what it does not say itself: an object with members of {@link Description}. */
const BESIDE = 'score-cam.json';

/**
 * Reads a network's file, whatever it is: a manifest, a TensorFlow.js model.json with its topology, ONNX.
 * @param said by the caller; it counts more than what is beside the file
 * @throws ScoreCamError `manifest`, `network` or `weights`: what the file is, or what is not supported in it
 */
export async function readNetworkFile(
  file: ByteSource,
  sibling: OpenSibling,
  said: Description,
): Promise<ReadNetwork> {
  const head = await file.read(0, Math.min(file.size, 64));
  const text = new TextDecoder().decode(head).trimStart();
  if (text.startsWith('{') || text.startsWith('\ufeff')) {
    const json = await readJson(file);
    if (!('modelTopology' in json)) {
      return { manifest: await readManifest(json, file.name), weights: undefined };
    }
    const { readKeras } = await import('./formats/keras/read');
    const all = await withBeside(said, sibling);
    return manifestOf(readKeras(file.name, json, sibling, sizeOf(all)), 'tensorflowjs', file, all);
  }
  // A message that begins with its first field, the version of the format, as every exporter writes it.
  if (head[0] === 0x08 && head.length > 16) {
    const { readOnnx } = await import('./formats/onnx/read');
    const all = await withBeside(said, sibling);
    const size = sizeOf(all);
    const network = await readOnnx(file, sibling, size ? { size } : {});
    return manifestOf(network, 'onnx', file, all);
  }
  throw new ScoreCamError(
    'manifest',
    file.size > LARGEST_JSON
      ? `${file.name} has ${file.size} bytes, a model manifest at most ${LARGEST_JSON}, and it is no ONNX file: give the ` +
          'address of the manifest as the model, and that of a weights file as the option `weights`.'
      : `${file.name} is not JSON, and no ONNX file: give a model manifest, a TensorFlow.js model.json or an .onnx file.`,
  );
}

/** What is said, and what is said beside the file where something is missing. */
async function withBeside(said: Description, sibling: OpenSibling): Promise<Description> {
  if (said.labels && said.mean && said.std) return said;
  let json: JsonObject;
  try {
    json = await readJson(await sibling(BESIDE));
  } catch {
    return said; // Most models have none.
  }
  return { ...checkDescription(json, BESIDE), ...said };
}

/**
 * The members of a parsed JSON object.
 * @throws ScoreCamError `manifest` for one that is wrong
 */
function checkDescription(
  { labels, mean, std, size, resize }: JsonObject,
  where: string,
): Description {
  const fail = (member: string, found: unknown, need: string): never => {
    throw new ScoreCamError(
      'manifest',
      `${where}: "${member}" is ${shown(found)}, must be ${need}.`,
    );
  };
  const numbers = (v: unknown, count: number): boolean =>
    Array.isArray(v) &&
    v.length === count &&
    v.every((n) => typeof n === 'number' && Number.isFinite(n));
  if (
    labels !== undefined &&
    !(Array.isArray(labels) && labels.every((one) => typeof one === 'string'))
  ) {
    fail('labels', labels, 'a list of names');
  }
  for (const [member, value] of Object.entries({ mean, std })) {
    if (value !== undefined && !numbers(value, 3))
      fail(member, value, 'three numbers (red, green, blue)');
  }
  if (size !== undefined && !(typeof size === 'number' || numbers(size, 2))) {
    fail('size', size, 'a number, or two (height, width)');
  }
  if (resize !== undefined && resize !== 'cover' && resize !== 'stretch') {
    fail('resize', resize, 'cover or stretch');
  }
  const known = { labels, mean, std, size, resize };
  const given = Object.entries(known).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Description;
}

/**
 * Labels of classes that have no names.
 * @throws ScoreCamError `network` for more than layers have outputs: a file may claim any number
 */
export function numbered(classes: number, file: string): readonly string[] {
  if (classes > MOST_OUTPUTS) {
    throw new ScoreCamError(
      'network',
      `${file} has ${classes} classes; supported are up to ${MOST_OUTPUTS}.`,
    );
  }
  return Array.from({ length: classes }, (_, index) => `class ${index}`);
}

/** @throws ScoreCamError `option` where nobody says how the input is normalised, or there are other classes than labels */
function manifestOf(
  network: ForeignNetwork,
  format: 'tensorflowjs' | 'onnx',
  file: ByteSource,
  said: Description,
): ReadNetwork {
  const { layers, input, targetLayer, classes, weights, normalisation } = network;
  const { mean = normalisation?.mean, std = normalisation?.std } = said;
  if (!mean || !std) {
    throw new ScoreCamError(
      'option',
      `${file.name} does not say how its input is normalised: give mean and std of (rgb / 255 - mean) / std. Most ` +
        'networks of PyTorch have [0.485, 0.456, 0.406] and [0.229, 0.224, 0.225], most of TensorFlow [0.5, 0.5, 0.5] ' +
        'for both.',
    );
  }
  const { labels = numbered(classes, file.name) } = said;
  if (labels.length !== classes) {
    throw new ScoreCamError(
      'option',
      `${file.name} has ${classes} classes, but there are ${labels.length} labels.`,
    );
  }
  const manifest: GraphManifest = {
    format: 'score-cam-webgpu/model',
    version: 2,
    name: nameOf(file.name),
    description: `A network of ${format === 'onnx' ? 'an ONNX file' : 'a TensorFlow.js model'}: ${classes} classes, ${input.width}x${input.height}.`,
    licence: 'unknown: that of its file',
    input: { ...input, mean, std, resize: said.resize ?? 'cover' },
    layers,
    targetLayer,
    labels,
    weights: { format, file: file.name },
  };
  // By the rules of manifests, too: those of kernels, strides and names are said in one place.
  return { manifest: parseGraph(JSON.parse(JSON.stringify(manifest)), file.name), weights };
}

/** The file's name without its ending; of a model.json, its folder's. */
function nameOf(address: string): string {
  const parts = address.replace(/[?#].*$/s, '').split(/[\\/]/);
  const [last = '', folder = ''] = parts.reverse();
  const name = last === 'model.json' && folder !== '' ? folder : last.replace(/\.[^.]*$/, '');
  return name || 'network';
}
