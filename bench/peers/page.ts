/// Runs in headless Chrome: one contender a page, so that none lives with another's memory or threads.
import { normalise, prepareImage } from '../../src/explain/image';
import { factsOf } from '../../src/gpu/facts';
import type { AdapterFacts } from '../../src/index';
import type { Model } from '../../src/model/model';
import { seededVgg } from '../../src/model/seeded-vgg';
import type { Ready } from './contender';
import { prepareOnnxRuntime } from './onnxruntime';
import { prepareOurs } from './ours';
import { prepareTensorFlow } from './tensorflow';
import type { Contender } from './types';

/** A pass that takes longer than this is repeated once only. */
const SLOW_SECONDS = 20;

export interface PassOptions {
  readonly name: Contender['name'];
  readonly backend: Contender['backend'];
  readonly runs: number;
  /** URL of the image that every contender gets. */
  readonly image: string;
}

export interface Passes {
  readonly adapter: AdapterFacts | null;
  readonly threads?: number;
  readonly warmUp: number;
  readonly runs: readonly number[];
  readonly logits: readonly number[];
  readonly note?: string;
}

declare global {
  interface Window {
    measurePasses: typeof measurePasses;
    /** Made by the Node side. */
    onPeerStep(what: string): Promise<void>;
  }
}

async function measurePasses(options: PassOptions): Promise<Passes> {
  const adapters = watchAdapters();
  const model = seededVgg(16, 1);
  await window.onPeerStep('loading 553 MB of seeded weights');
  const { run, threads } = await prepare(options, model);
  const image = await (await fetch(options.image)).blob();
  const input = normalise(await prepareImage(image, model.manifest.input), model.manifest);
  let logits = new Float32Array(0);
  const timed = async (): Promise<number> => {
    const start = performance.now();
    logits = new Float32Array(await run(input as Float32Array<ArrayBuffer>));
    return performance.now() - start;
  };
  await window.onPeerStep('warming up');
  const warmUp = await timed();
  const isSlow = warmUp > 1000 * SLOW_SECONDS;
  const count = isSlow ? 1 : options.runs;
  const runs: number[] = [];
  while (runs.length < count) {
    await window.onPeerStep(`run ${runs.length + 1} of ${count}`);
    runs.push(await timed());
  }
  const notes: string[] = [];
  const wanted = navigator.hardwareConcurrency;
  if (threads !== undefined && threads < wanted) {
    notes.push(`asked for ${wanted} threads, runs ${threads}`);
  }
  if (count < options.runs) {
    notes.push(
      `runs: ${count} instead of ${options.runs}, as the warm-up took over ${SLOW_SECONDS} s`,
    );
  }
  return {
    adapter: adapters.at(-1) ?? null,
    ...(threads === undefined ? {} : { threads }),
    warmUp,
    runs,
    logits: [...logits],
    ...(notes.length > 0 ? { note: notes.join('; ') } : {}),
  };
}

function prepare({ name, backend }: PassOptions, model: Model): Promise<Ready> {
  if (name === 'score-cam-webgpu') return prepareOurs(model);
  if (name === 'onnxruntime-web') return prepareOnnxRuntime(model, backend);
  return prepareTensorFlow(model, backend);
}

/** Facts of every adapter that gives a device from now on: the packages do not all say which one they use. */
function watchAdapters(): AdapterFacts[] {
  const seen: AdapterFacts[] = [];
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = function (this: GPUAdapter, ...args) {
    seen.push(factsOf(this.info));
    return requestDevice.apply(this, args);
  };
  return seen;
}

window.measurePasses = measurePasses;
