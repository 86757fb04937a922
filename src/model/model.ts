import { ScoreCamError } from '../errors';
import type { ByteSource } from './bytes/byte-source';
import { httpSource } from './bytes/http-source';
import { siblingUrl } from './bytes/sibling-url';
import { LARGEST_JSON } from './formats/json';
import { openWeights } from './formats/open';
import type {
  LocatedModel,
  LocateOptions,
  Model,
  ModelLocation,
  OpenNetwork,
  OpenOptions,
} from './located';
import { type Manifest, readManifest } from './manifest';
import { networkOf } from './network-of';
import { loadPreset, PRESETS } from './presets';
import type { WeightSource } from './weight-source';

export type * from './located';

/** Names of networks whose weights are made up. */
export const SEEDED_NAME = /-seeded-\d+$/;

/**
 * Loads a model: a preset (`vgg16`, see PRESETS), `vgg16-seeded-N` or another network's, or a file or the address of one.
 * @throws ScoreCamError `manifest`, `network` or `weights`.
 */
export async function loadModel(model: ModelLocation, options: OpenOptions = {}): Promise<Model> {
  const { manifest, network, open } = await locateModel(model, options);
  return { manifest, network, weights: await open() };
}

/**
 * The first half of {@link loadModel}: finds and checks the manifest. One that was kept with its weights
 * serves where its server cannot be reached.
 */
export async function locateModel(
  model: ModelLocation,
  options: LocateOptions = {},
): Promise<LocatedModel> {
  if (!isAddress(model)) {
    const { main, others, sibling } = (await import('./bytes/given-files')).givenFiles(model, true);
    const open: OpenNetwork = (read) => read(main, sibling);
    const found = await (await import('./foreign')).locateForeign(open, main.name, options);
    if ('open' in found) return found;
    const beside = others.length > 0 ? others : undefined;
    return located(found, undefined, { ...options, weights: options.weights ?? beside });
  }
  const name = String(model);
  const made = SEEDED_NAME.test(name)
    ? (await import('./seeded-manifest')).seededManifestOf(name)
    : await loadPreset(name);
  if (made) return located(made, undefined, options);
  const url = resolveUrl(model);
  const found = await fetchNetwork(url, options);
  return { ...('open' in found ? found : await located(found, url, options)), address: url.href };
}

/** The manifest at an address, or the network of a file that is none. */
async function fetchNetwork(url: URL, options: LocateOptions): Promise<Manifest | LocatedModel> {
  const { signal, retryDelays, cache } = options;
  // Before it is needed: without a network it could not be had.
  const keep = cache && (await import('./keep/kept-manifest'));
  let bytes: Uint8Array<ArrayBuffer> | undefined;
  try {
    bytes = await fetchJson(url, { signal, retryDelays });
  } catch (error) {
    // Only what the network did has a cause: a 404 means what it says.
    const isUnreachable = error instanceof ScoreCamError && error.cause !== undefined;
    const kept = isUnreachable && cache ? await keep?.keptManifest(cache, url.href) : undefined;
    if (kept) return kept;
    throw error;
  }
  let json: unknown;
  try {
    json = bytes && JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    // Perhaps it is ONNX.
  }
  if (json !== undefined && Object(json).modelTopology === undefined) {
    return readManifest(json, String(url));
  }
  const { locateForeign, withBytes } = await import('./foreign');
  return locateForeign(
    (read) => openUrl(url, {}, options, withBytes(bytes, read)),
    url.href,
    options,
  );
}

/** All of a file that is no larger than a manifest may be. */
async function fetchJson(
  url: URL,
  options: OpenOptions,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const { signal, retryDelays } = options;
  const file = await httpSource(url, { signal, retryDelays, largestBuffer: LARGEST_JSON });
  try {
    return file.size <= LARGEST_JSON ? await file.read(0, file.size) : undefined;
  } finally {
    await file.close();
  }
}

/** Opens the weights a manifest names, relative to `base` (the manifest's own URL). */
export async function openModel(
  manifest: Manifest,
  base: URL | undefined,
  options: OpenOptions = {},
): Promise<Model> {
  const { network, open } = await located(manifest, base, options);
  return { manifest, network, weights: await open() };
}

async function located(
  given: Manifest,
  base: URL | undefined,
  options: OpenOptions,
): Promise<LocatedModel> {
  const { weights: location, labels, mean, std, size, resize } = options;
  const isSaid = labels || mean || std || size || resize;
  const manifest = isSaid ? await (await import('./description')).described(given, options) : given;
  const network = await networkOf(manifest);
  const { weights } = manifest;
  if (location !== undefined) {
    const url = isAddress(location) ? resolveUrl(location) : undefined;
    const open = url
      ? () => openUrl(url, {}, options, openWeights)
      : async () => {
          const { givenFiles } = await import('./bytes/given-files');
          const { main, sibling } = givenFiles(location as Blob | readonly File[], false);
          return openWeights(main, sibling);
        };
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
  return { manifest, network, identity, open: () => openUrl(url, expected, options, openWeights) };
}

async function openUrl(
  url: URL,
  expected: { sha256?: string; bytes?: number },
  { signal, retryDelays }: OpenOptions,
  read: Parameters<OpenNetwork>[0],
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
    const source = await read(verified ?? own, async (path) => open(siblingUrl(url, path)));
    const verify = async (): Promise<void> => {
      await source.verify?.();
      await verified?.verify();
    };
    const { name, tensors } = source;
    return { name, tensors, read: source.read.bind(source), verify, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function isAddress(location: ModelLocation): location is string | URL {
  return typeof location === 'string' || location instanceof URL;
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
