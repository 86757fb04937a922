import {
  browserCache,
  createExplainer,
  type Explainer,
  type ExplainerOptions,
  PRESETS,
  type Progress,
  ScoreCamError,
} from '../index';

/** Which network, in which form, on which thread, and the method that is to be ready first. */
export type Wanted = Pick<ExplainerOptions, 'dtype' | 'worker' | 'prepare'> & {
  readonly model: string;
};

/** An explainer that several elements use: one model, on one device. */
interface Shared {
  /** Ends the loading. */
  readonly stop: AbortController;
  readonly explainer: Promise<Explainer>;
  readonly listeners: Set<(progress: Progress) => void>;
  users: number;
  /** Ends when what was asked for so far is done: one picture at a time, so that the first is ready soon. */
  last: Promise<unknown>;
}

const all = new Map<string, Shared>();

/** One element's part in an explainer. */
export interface Lease {
  readonly explainer: Promise<Explainer>;
  /** Does some work when the work of others is done. */
  run<Result>(work: () => Promise<Result>): Promise<Result>;
  /** The last who gives it back frees model and device. */
  release(): void;
}

/** @param onProgress hears how the model is loaded, whoever began it */
export function lease(wanted: Wanted, onProgress: (progress: Progress) => void): Lease {
  const { model, dtype, worker } = wanted;
  const key = JSON.stringify([model, dtype, String(worker)]);
  const shared = all.get(key) ?? begin(key, wanted);
  shared.users++;
  shared.listeners.add(onProgress);
  let isHeld = true;
  return {
    explainer: shared.explainer,
    run(work) {
      const next = shared.last.then(work);
      shared.last = next.catch(() => {});
      return next;
    },
    release() {
      if (!isHeld) return;
      isHeld = false;
      shared.listeners.delete(onProgress);
      shared.users--;
      if (shared.users > 0) return;
      if (all.get(key) === shared) all.delete(key);
      shared.stop.abort();
      shared.explainer.then((explainer) => explainer.dispose()).catch(() => {});
    },
  };
}

function begin(key: string, wanted: Wanted): Shared {
  const listeners: Shared['listeners'] = new Set();
  const onProgress = (progress: Progress): void => {
    for (const listener of listeners) listener(progress);
  };
  const stop = new AbortController();
  const explainer = open(wanted, { onProgress, signal: stop.signal });
  const shared: Shared = { stop, explainer, listeners, users: 0, last: Promise.resolve() };
  all.set(key, shared);
  // What failed is tried anew by whoever asks next.
  explainer.catch(() => {
    if (all.get(key) === shared) all.delete(key);
  });
  return shared;
}

/** What may keep a worker from a GPU that the page itself can use. */
const ONLY_WORKERS = ['worker', 'no-webgpu', 'no-adapter'];

async function open(
  { worker, ...rest }: Wanted,
  callbacks: Pick<ExplainerOptions, 'onProgress' | 'signal'>,
): Promise<Explainer> {
  // Presets are fetched from the web once, and kept.
  const cache = PRESETS.includes(rest.model) ? browserCache() : undefined;
  const options = { ...rest, cache, ...callbacks };
  if (worker && 'gpu' in navigator) {
    try {
      return await createExplainer({ ...options, worker });
    } catch (error) {
      if (!(error instanceof ScoreCamError && ONLY_WORKERS.includes(error.code))) throw error;
    }
  }
  return createExplainer(options);
}

/** Bytes of weights that a page may fetch unasked. */
const LARGE = 16_000_000;

/** Whether a visitor should be asked before a model is fetched: presets are, and what says it has many bytes. */
export async function isLarge(model: string): Promise<boolean> {
  if (PRESETS.includes(model) || /^vgg\d+-seeded-/.test(model)) return true;
  try {
    const { weights } = (await (await fetch(model)).json()) as { weights?: { bytes?: number } };
    return !((weights?.bytes ?? 0) <= LARGE);
  } catch {
    // Loading it will say what is wrong.
    return false;
  }
}
