import type { ExplainerOptions } from '../explain/explainer-options';
import type { Explanation } from '../explain/explanation';
import type { Pixels } from '../explain/pixels';
import type { Callbacks } from '../explain/types';
import type { Explainer } from '../explainer-api';
import type { WeightCache } from '../model/keep/cache';
import type { Model } from '../model/model';
import { Line, moved, type Port } from './line';
import type {
  PageCalls,
  SentExplanation,
  SentImage,
  SentModel,
  SentOptions,
  Task,
  WorkerCalls,
} from './protocol';

/**
 * Answers a page for one explainer, which lives until the page disposes of it.
 * @param create makes it, on this thread
 * @param close ends the worker
 */
export function serve(
  port: Port,
  create: (options: ExplainerOptions) => Promise<Explainer>,
  close: () => void,
): void {
  let explainer: Explainer;
  const explanations = new Map<number, Explanation>();
  const tasks = new Map<number, AbortController>();
  let kept = 0;

  const sent = (explanation: Explanation): SentExplanation => {
    const id = ++kept;
    explanations.set(id, explanation);
    return sentExplanation(id, explanation);
  };
  const known = (id: number): Explanation => explanations.get(id) as Explanation;
  const tellState = (): void => {
    const { adapter, memory } = explainer;
    page.tell('state', { adapter, memory });
  };
  const during = async <Result>(
    { id, progress }: Task,
    work: (callbacks: Callbacks) => Promise<Result>,
  ): Promise<Result> => {
    const controller = new AbortController();
    tasks.set(id, controller);
    try {
      return await work({
        signal: controller.signal,
        ...(progress && { onProgress: (step) => page.tell('progress', id, step) }),
      });
    } finally {
      tasks.delete(id);
      if (explainer) tellState();
    }
  };

  const page: Line<PageCalls> = new Line<PageCalls>(port, {
    create: (task, options) =>
      during(task, async (callbacks) => {
        explainer = await create({ ...callbacks, ...received(options, page) });
        const { model, tuning } = explainer;
        return { model, tuning };
      }),
    classify: (task, image) =>
      during(task, (callbacks) => using(image, () => explainer.classify(image, callbacks))),
    explain: (task, image, options) =>
      during(task, async (callbacks) => {
        const onPreview = (preview: Explanation): void =>
          page.tell('preview', task.id, sent(preview));
        const all = { ...options, ...callbacks, ...(task.preview && { onPreview }) };
        return sent(await using(image, () => explainer.explain(image, all)));
      }),
    measure: (task, subject, options) =>
      during(task, (callbacks) => explainer.measure(subject, { ...options, ...callbacks })),
    forClass: async (id, wanted) => sent(await known(id).forClass(wanted)),
    withWeighting: async (id, weighting) => sent(await known(id).withWeighting(weighting)),
    async overlay(id, options) {
      const { data, width, height }: Pixels = await known(id).overlay(options);
      return moved({ data, width, height }, [data.buffer as ArrayBuffer]);
    },
    forget: (id) => void explanations.delete(id),
    abort: (id) => tasks.get(id)?.abort(),
    prepared: () => explainer.prepared,
    dispose() {
      explainer.dispose();
      close();
    },
  } satisfies WorkerCalls);
}

/** A bitmap that was handed over is nobody else's to close. */
async function using<Result>(image: SentImage, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } finally {
    if (image instanceof ImageBitmap) image.close();
  }
}

/** Its map goes as a copy that is handed over; here it may still be drawn, and weighed anew. */
function sentExplanation(id: number, explanation: Explanation): SentExplanation {
  const { run, map, layers, passes, timings } = explanation;
  const { pixels, probabilities, magnitudes, choice, options } = run;
  const copy = { ...map, data: map.data.slice() };
  const result = {
    map: copy,
    layers: layers.map((layer) => ({ ...layer, map: layer.map === map ? copy : layer.map })),
    passes,
    timings,
  };
  const findings = { pixels, probabilities, magnitudes, choice, options };
  return moved({ id, findings, class: explanation.class, result }, [copy.data.buffer]);
}

/** Options as the library takes them: what is in the page's memory is asked for there. */
function received(
  { model, cache, keepsTuning, ...options }: SentOptions,
  page: Line<PageCalls>,
): ExplainerOptions {
  return {
    ...options,
    model: typeof model === 'object' && 'network' in model ? modelOf(model, page) : model,
    ...(cache && { cache: cacheOf(cache, page) }),
    tuningCache: keepsTuning && {
      get: (key) => page.call('getTuning', key),
      put: (key, value) => page.call('putTuning', key, value),
    },
    onDeviceLost: (reason) => page.tell('deviceLost', reason),
  };
}

function modelOf(
  { manifest, network, weights: { name, tensors, verify } }: SentModel,
  page: Line<PageCalls>,
): Model {
  return {
    manifest,
    network,
    weights: {
      name,
      tensors,
      read: (tensor, start, count) => page.call('readWeights', tensor, start, count),
      close: () => page.call('closeWeights'),
      ...(verify && { verify: () => page.call('verifyWeights') }),
    },
  };
}

function cacheOf({ fits }: { readonly fits: boolean }, page: Line<PageCalls>): WeightCache {
  return {
    async match(key) {
      const bytes = await page.call('matchCache', key);
      return bytes && new Response(bytes);
    },
    async put(key, response) {
      const bytes = await response.arrayBuffer();
      await page.call('putCache', key, moved(bytes, [bytes]));
    },
    delete: (key) => page.call('deleteCache', key),
    ...(fits && { fits: (bytes: number) => page.call('fitsCache', bytes) }),
  };
}
