import { ScoreCamError } from '../errors';
import { type ByteSource, blobSource, type OpenSibling } from './bytes/byte-source';
import { httpSource } from './bytes/http-source';
import { siblingUrl } from './bytes/sibling-url';
import { LARGEST_JSON } from './formats/json';
import { openWeights } from './formats/open';
import type { WeightCache } from './keep/cache';
import { type Manifest, parseManifest } from './manifest';
import { buildNetwork, type Network } from './network';
import { loadPreset, PRESETS } from './presets';
import type { VggDepth } from './vgg';
import type { WeightSource } from './weight-source';

/** A network with its numbers at hand: everything but the GPU. */
export interface Model {
  readonly manifest: Manifest;
  readonly network: Network;
  readonly weights: WeightSource;
}

/**
 * Where weights are, if not where the manifest says: an address, a file, or the files that belong
 * together (an index or model.json and its shards).
 */
export type WeightsLocation = string | URL | Blob | readonly File[];

export interface OpenOptions {
  readonly signal?: AbortSignal | undefined;
  readonly weights?: WeightsLocation | undefined;
  /**
   * Milliseconds to wait before each further try when a server fails or the connection breaks off, for as
   * many tries; a byte that comes starts the list over. Default: five tries, from 0.5 to 8 s.
   */
  readonly retryDelays?: readonly number[] | undefined;
}

export interface LocateOptions extends OpenOptions {
  /** Stands in for a manifest whose server cannot be reached. */
  readonly cache?: WeightCache | undefined;
}

/** A model that is known but whose weights are not opened yet. */
export interface LocatedModel {
  readonly manifest: Manifest;
  readonly network: Network;
  /** What tells its weights from others', to keep them by; undefined where they are made up or a file. */
  readonly identity: string | undefined;
  /** URL of the manifest, if it has one. */
  readonly address?: string | undefined;
  open(): Promise<WeightSource>;
}

export const SEEDED_NAME = /^vgg(11|13|16|19)-seeded-(\d+)$/;

/**
 * Loads a model: the URL of a manifest, a preset (`vgg16`, see PRESETS) or `vgg16-seeded-N`.
 * @throws ScoreCamError `manifest`, `network` or `weights`.
 */
export async function loadModel(model: string | URL, options: OpenOptions = {}): Promise<Model> {
  const { manifest, network, open } = await locateModel(model, options);
  return { manifest, network, weights: await open() };
}

/**
 * The first half of {@link loadModel}: finds and checks the manifest. One that was kept with its weights
 * serves where its server cannot be reached.
 */
export async function locateModel(
  model: string | URL,
  options: LocateOptions = {},
): Promise<LocatedModel> {
  const seeded = SEEDED_NAME.exec(String(model));
  if (seeded) {
    const { seededManifest } = await import('./seeded-vgg');
    const made = seededManifest(Number(seeded[1]) as VggDepth, Number(seeded[2]));
    return located(made, undefined, options);
  }
  const preset = await loadPreset(String(model));
  if (preset) return located(preset, undefined, options);
  const url = resolveUrl(model);
  const manifest = await fetchManifest(url, options);
  return { ...located(manifest, url, options), address: url.href };
}

async function fetchManifest(
  url: URL,
  { signal, retryDelays, cache }: LocateOptions,
): Promise<Manifest> {
  // Before it is needed: without a network it could not be had.
  const keep = cache && (await import('./keep/kept-manifest'));
  let bytes: Uint8Array;
  try {
    bytes = await fetchWhole(url, { signal, retryDelays });
  } catch (error) {
    // Only what the network did has a cause: a 404 means what it says.
    const isUnreachable = error instanceof ScoreCamError && error.cause !== undefined;
    const kept = isUnreachable && cache ? await keep?.keptManifest(cache, url.href) : undefined;
    if (kept) return kept;
    throw error;
  }
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new ScoreCamError('manifest', `${url} is not JSON: is it a model manifest?`, { cause });
  }
  return parseManifest(json, String(url));
}

async function fetchWhole(url: URL, options: OpenOptions): Promise<Uint8Array> {
  const { signal, retryDelays } = options;
  const file = await httpSource(url, { signal, retryDelays, largestBuffer: LARGEST_JSON });
  try {
    if (file.size <= LARGEST_JSON) return await file.read(0, file.size);
  } finally {
    await file.close();
  }
  throw new ScoreCamError(
    'manifest',
    `${url} has ${file.size} bytes, a model manifest at most ${LARGEST_JSON}: give the address of the ` +
      'manifest as the model, and that of a weights file as the option `weights`.',
  );
}

/** Opens the weights a manifest names, relative to `base` (the manifest's own URL). */
export async function openModel(
  manifest: Manifest,
  base: URL | undefined,
  options: OpenOptions = {},
): Promise<Model> {
  const { network, open } = located(manifest, base, options);
  return { manifest, network, weights: await open() };
}

function located(manifest: Manifest, base: URL | undefined, options: OpenOptions): LocatedModel {
  const { weights: location } = options;
  const network = buildNetwork(manifest);
  const { weights } = manifest;
  if (location !== undefined) {
    const isAddress = typeof location === 'string' || location instanceof URL;
    const url = isAddress ? resolveUrl(location) : undefined;
    const open = url
      ? () => openUrl(url, {}, options)
      : () => openFiles(location as Blob | readonly File[]);
    return { manifest, network, identity: url && `${manifest.name} ${url}`, open };
  }
  if (weights.format === 'seeded') {
    const open = async (): Promise<WeightSource> =>
      (await import('./seeded')).seededWeights(network, weights.seed);
    return { manifest, network, identity: undefined, open };
  }
  const { file, bytes, sha256 } = weights;
  const url = absoluteUrl(file, base);
  if (!url) {
    throw new ScoreCamError(
      'weights',
      `Nobody is known to host the weights of ${manifest.name} (${file}): say where they are with the ` +
        'option `weights`.',
    );
  }
  const expected = { ...(bytes ? { bytes } : {}), ...(sha256 ? { sha256 } : {}) };
  const identity = `${manifest.name} ${url} ${sha256 ?? bytes ?? ''}`;
  return { manifest, network, identity, open: () => openUrl(url, expected, options) };
}

async function openUrl(
  url: URL,
  expected: { sha256?: string; bytes?: number },
  { signal, retryDelays }: OpenOptions,
): Promise<WeightSource> {
  const opened: { close(): Promise<void> }[] = [];
  const open = async (address: URL): Promise<ByteSource> => {
    const source = await httpSource(address, { signal, retryDelays });
    opened.push(source);
    return source;
  };
  const close = async (): Promise<void> => {
    await Promise.all(opened.map((source) => source.close()));
  };
  try {
    // Most addresses that a page gives state nothing to compare with. Loaded first: an answer that nobody reads for a
    // while may break off, and what had come of it is lost.
    const isStated = expected.sha256 !== undefined || expected.bytes !== undefined;
    const verifying = isStated ? await import('./bytes/verified-source') : undefined;
    const own = await open(url);
    const verified = verifying?.verifiedSource(own, expected);
    const source = await openWeights(verified ?? own, async (path) => open(siblingUrl(url, path)));
    const verify = async (): Promise<void> => {
      await source.verify?.();
      await verified?.verify();
    };
    return { ...source, verify, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openFiles(location: Blob | readonly File[]): Promise<WeightSource> {
  const files = location instanceof Blob ? [location] : location;
  // Of several files, the one in JSON lists the others.
  const isIndex = (file: Blob): boolean => file instanceof File && file.name.endsWith('.json');
  const main = files.length === 1 ? files[0] : files.find(isIndex);
  if (!main) {
    const names = files.map((file) => (file instanceof File ? file.name : 'blob')).join(', ');
    throw new ScoreCamError(
      'weights',
      `${files.length} files were given (${names}) and none is the .json that lists the others: choose ` +
        'one weights file, or model.json (or model.safetensors.index.json) together with its shards.',
    );
  }
  const sibling: OpenSibling = async (path) => {
    const name = path.split('/').at(-1);
    const found = files.find((file) => file instanceof File && file.name === name);
    if (found) return blobSource(found);
    throw new ScoreCamError(
      'weights',
      `${(main as File).name} lists ${path}, which is not among the files given: choose it too.`,
    );
  };
  return openWeights(blobSource(main), sibling);
}

function resolveUrl(model: string | URL): URL {
  const url = absoluteUrl(model, globalThis.document?.baseURI ?? globalThis.location?.href);
  if (url) return url;
  throw new ScoreCamError(
    'manifest',
    `"${model}" is neither a URL nor the name of a model: ${PRESETS.join(', ')}, or vgg16-seeded-1.`,
  );
}

function absoluteUrl(address: string | URL, base: string | URL | undefined): URL | undefined {
  try {
    return new URL(address, base);
  } catch {
    return undefined;
  }
}
