import { ScoreCamError } from '../errors';
import { memorySource } from './bytes/byte-source';
import { openSafetensors } from './formats/safetensors';
import { type Manifest, parseManifest } from './manifest';
import { buildNetwork, type Network } from './network';
import { seededWeights } from './seeded';
import { type VggDepth, vggManifest } from './vgg';
import type { WeightSource } from './weight-source';

/** A network with its numbers at hand: everything but the GPU. */
export interface Model {
  readonly manifest: Manifest;
  readonly network: Network;
  readonly weights: WeightSource;
}

const SEEDED_NAME = /^vgg(11|13|16|19)-seeded-(\d+)$/;

/**
 * Loads a model: a manifest's URL, or `vgg16-seeded-N` (also vgg11, vgg13, vgg19).
 * @throws ScoreCamError `manifest`, `network` or `weights`.
 */
export async function loadModel(model: string | URL, signal?: AbortSignal): Promise<Model> {
  const seeded = SEEDED_NAME.exec(String(model));
  if (seeded) return seededVgg(Number(seeded[1]) as VggDepth, Number(seeded[2]));
  const url = resolveUrl(model);
  const response = await request(url, signal);
  let json: unknown;
  try {
    json = await response.json();
  } catch (cause) {
    throw new ScoreCamError('manifest', `${url} is not JSON: is it a model manifest?`, { cause });
  }
  return openModel(parseManifest(json, String(url)), url, signal);
}

/** A full-size VGG with generated weights and 1000 numbered classes. */
export function seededVgg(depth: VggDepth, seed: number): Model {
  const name = `vgg${depth}-seeded-${seed}`;
  const raw = vggManifest({
    depth,
    name,
    description: `Full-size VGG-${depth} with weights generated from seed ${seed}: for tests and timing.`,
    licence: 'MIT',
    labels: Array.from({ length: 1000 }, (_, index) => `class ${index}`),
    weights: { format: 'seeded', seed },
  });
  const manifest = parseManifest(raw, name);
  const network = buildNetwork(manifest);
  return { manifest, network, weights: seededWeights(network, seed) };
}

/** Opens the weights a manifest names, relative to `base` (the manifest's own URL). */
export async function openModel(
  manifest: Manifest,
  base: URL,
  signal?: AbortSignal,
): Promise<Model> {
  const network = buildNetwork(manifest);
  const { weights } = manifest;
  if (weights.format === 'seeded') {
    return { manifest, network, weights: seededWeights(network, weights.seed) };
  }
  const url = new URL(weights.file, base);
  const bytes = await (await request(url, signal)).arrayBuffer();
  if (weights.bytes !== undefined && bytes.byteLength !== weights.bytes) {
    throw new ScoreCamError(
      'weights',
      `${url} has ${bytes.byteLength} bytes, the manifest says ${weights.bytes}: cut off or another file.`,
    );
  }
  if (weights.sha256 !== undefined) await checkSha256(bytes, weights.sha256, url);
  return {
    manifest,
    network,
    weights: await openSafetensors(memorySource(String(url), new Uint8Array(bytes))),
  };
}

async function checkSha256(bytes: ArrayBuffer, expected: string, url: URL): Promise<void> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  const found = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
  if (found !== expected) {
    throw new ScoreCamError(
      'weights',
      `${url} is not the file the manifest means: SHA-256 ${found}, expected ${expected}.`,
    );
  }
}

function resolveUrl(model: string | URL): URL {
  try {
    return new URL(model, globalThis.document?.baseURI ?? globalThis.location?.href);
  } catch (cause) {
    throw new ScoreCamError(
      'manifest',
      `"${model}" is neither a URL of a model manifest nor a name like vgg16-seeded-1.`,
      { cause },
    );
  }
}

async function request(url: URL, signal?: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, signal ? { signal } : {});
  } catch (cause) {
    if (signal?.aborted) throw signal.reason;
    throw new ScoreCamError('weights', `${url} could not be fetched: ${String(cause)}`, { cause });
  }
  if (!response.ok) {
    throw new ScoreCamError(
      'weights',
      `${url} answered ${response.status} ${response.statusText}: check the address.`,
    );
  }
  return response;
}
