import { ScoreCamError } from '../errors';
import type { ExplainerOptions } from '../explain/explainer-options';
import { tell } from '../explain/progress';
import type { Explainer } from '../explainer-api';
import type { WeightCache } from '../model/keep/cache';
import { type Model, SEEDED_NAME } from '../model/model';
import { PRESETS } from '../model/presets';
import type { WeightSource } from '../model/weight-source';
import { browserTuningCache } from '../runtime/tuning-cache';
import { type Connection, during } from './connection';
import { Line, moved } from './line';
import type { PageCalls, SentModel, SentOptions, WorkerCalls } from './protocol';
import { RemoteExplainer } from './remote-explainer';
import { startWorker } from './start';

/**
 * An explainer in a worker of its own.
 * @param options as their rules say
 * @throws ScoreCamError as `createExplainer`; `worker` if the worker does not start
 */
export async function createRemote(options: ExplainerOptions): Promise<Explainer> {
  const { worker: wanted, device, getDevice, onDeviceLost, onProgress, signal, ...rest } = options;
  const { model, weights, cache, tuningCache = browserTuningCache(), ...plain } = rest;
  if (device || getDevice) {
    throw new ScoreCamError(
      'option',
      `A device of the page's cannot go to a worker: leave out ${device ? 'device' : 'getDevice'}, or \`worker\`.`,
    );
  }
  const isLoaded = typeof model === 'object' && 'network' in model;
  const sent: SentOptions = {
    ...plain,
    weights: isAddress(weights) ? inFull(weights) : weights,
    model: isLoaded ? sentModel(model) : isAddress(model) ? inFull(model) : model,
    cache: cache && { fits: 'fits' in cache },
    keepsTuning: tuningCache !== false,
  };
  const worker = started(isAddress(wanted) ? wanted : undefined);
  let explainer: RemoteExplainer | undefined;
  const tasks: Connection['tasks'] = new Map();
  const line = new Line<WorkerCalls>(worker, {
    ...cacheCalls(cache),
    ...weightCalls(isLoaded ? model.weights : undefined),
    getTuning: async (key) => (tuningCache ? tuningCache.get(key) : undefined),
    putTuning: async (key, value) => {
      if (tuningCache) await tuningCache.put(key, value);
    },
    state(state) {
      connection.state = state;
    },
    progress(task, progress) {
      const { signal, onProgress } = tasks.get(task) ?? {};
      if (!signal?.aborted || explainer) tell(onProgress, progress);
    },
    preview(task, sentPreview) {
      const { signal, onPreview } = tasks.get(task) ?? {};
      const preview = explainer?.explanation(sentPreview);
      if (preview && !signal?.aborted) tell(onPreview, preview);
    },
    deviceLost: (reason) => tell(onDeviceLost, reason),
  } satisfies PageCalls);
  const connection: Connection = { line, tasks, state: undefined };
  const fail = ({ message = '' }: Partial<ErrorEvent>): void =>
    line.end(noWorker(wanted, message || 'it could not be fetched, or is no such script'));
  worker.addEventListener('error', fail);
  try {
    const listeners = { signal, onProgress };
    const create = (task: Parameters<WorkerCalls['create']>[0]) => line.call('create', task, sent);
    explainer = new RemoteExplainer(
      connection,
      await during(connection, listeners, create, { lasting: true }),
    );
    return explainer;
  } catch (error) {
    worker.terminate();
    throw error;
  } finally {
    worker.removeEventListener('error', fail);
  }
}

function started(address: string | URL | undefined): Worker {
  try {
    return startWorker(address);
  } catch (cause) {
    throw noWorker(address, String(cause), cause);
  }
}

function noWorker(
  address: ExplainerOptions['worker'],
  reason: string,
  cause?: unknown,
): ScoreCamError {
  const which = address && address !== true ? `worker ${address}` : "library's worker";
  return new ScoreCamError(
    'worker',
    `The ${which} does not start (${reason}). Serve the file score-cam-webgpu.js from this page's origin, as ` +
      'JavaScript, and give its address as `worker`; or leave `worker` out.',
    { cause },
  );
}

const isAddress = (value: unknown): value is string | URL =>
  typeof value === 'string' || value instanceof URL;

/** An address as it is meant on the page: a worker has another base. A model's name stays what it is. */
function inFull(address: string | URL): string {
  const text = String(address);
  const isName = PRESETS.includes(text) || SEEDED_NAME.test(text);
  const base = globalThis.document?.baseURI;
  return !isName && URL.canParse(text, base) ? new URL(text, base).href : text;
}

/** The page keeps the weights, and reads them to the worker. */
function sentModel({ manifest, network, weights: { name, tensors, verify } }: Model): SentModel {
  return { manifest, network, weights: { name, tensors, verify: verify !== undefined } };
}

function weightCalls(source: WeightSource | undefined) {
  return {
    async readWeights(name: string, start: number, count: number) {
      const values = await (source as WeightSource).read(name, start, count);
      return moved(values, [values.buffer]);
    },
    verifyWeights: async () => source?.verify?.(),
    closeWeights: async () => source?.close?.(),
  };
}

/** The page's cache, whose responses travel as their bytes. */
function cacheCalls(cache: WeightCache | undefined) {
  return {
    async matchCache(key: string) {
      const bytes = await (await cache?.match(key))?.arrayBuffer();
      return bytes && moved(bytes, [bytes]);
    },
    async putCache(key: string, bytes: ArrayBuffer) {
      await cache?.put(key, new Response(bytes));
    },
    async deleteCache(key: string) {
      await cache?.delete(key);
    },
    fitsCache: async (bytes: number) => (await cache?.fits?.(bytes)) ?? true,
  };
}
