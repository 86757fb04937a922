/// Runs in headless Chrome: one contender a page, so that none lives with another's memory or threads.
import { normalise, prepareImage } from '../../src/explain/image';
import { factsOf } from '../../src/gpu/facts';
import { type AdapterFacts, createExplainer } from '../../src/index';
import { type Model, openModel } from '../../src/model/model';
import type { Ready } from './contender';
import { seededModel } from './models';
import { prepareOnnxRuntime } from './onnxruntime';
import { prepareOurs, profileOurs } from './ours';
import { prepareTensorFlow } from './tensorflow';
import type { Contender, ExplanationTime, StepTime } from './types';

export interface PeerTask {
  readonly name: Contender['name'];
  readonly backend: Contender['backend'];
  /** Of the network, with generated weights. */
  readonly model: string;
  /** URL of the image that every contender gets. */
  readonly image: string;
}

export interface Pass {
  readonly ms: number;
  readonly logits: readonly number[];
  /** From which the device came; null for WASM. */
  readonly adapter: AdapterFacts | null;
}

export interface Loaded {
  /** Of WASM: those it runs, and those it was asked for. */
  readonly threads?: number;
  readonly wanted?: number;
}

declare global {
  interface Window {
    peer: typeof peer;
  }
}

let run: (() => Promise<Float32Array>) | undefined;
const adapters = watchAdapters();

const peer = {
  /** Loads the network. */
  async load(task: PeerTask): Promise<Loaded> {
    const model = await openModel(seededModel(task.model), undefined);
    const { run: pass, threads } = await prepare(task, model);
    const input = await inputOf(task, model);
    run = () => pass(input);
    return threads === undefined ? {} : { threads, wanted: navigator.hardwareConcurrency };
  },

  /** A forward pass of what was loaded. */
  async pass(): Promise<Pass> {
    if (!run) throw new Error('Nothing is loaded.');
    const start = performance.now();
    const logits = await run();
    const ms = performance.now() - start;
    return { ms, logits: [...logits], adapter: adapters.at(-1) ?? null };
  },

  /** A forward pass of ours, step by step. */
  async profile(task: PeerTask, runs: number): Promise<readonly StepTime[]> {
    const model = await openModel(seededModel(task.model), undefined);
    return profileOurs(model, await inputOf(task, model), runs);
  },

  /** Score-CAM by every channel of the target layer, as a visitor of a page has it, from the image to the map. */
  async explain(task: PeerTask, runs: number): Promise<ExplanationTime> {
    const manifest = new Blob([JSON.stringify(seededModel(task.model))]);
    const model = URL.createObjectURL(manifest);
    const explainer = await createExplainer({ model });
    URL.revokeObjectURL(model);
    try {
      const image = await imageOf(task);
      const times: number[] = [];
      let count = 0;
      for (let i = 0; i <= runs; i++) {
        const start = performance.now();
        const { passes } = await explainer.explain(image);
        times.push(performance.now() - start);
        count = passes.forward;
      }
      const { name, targetLayer } = explainer.model;
      return {
        model: name,
        targetLayer,
        passes: count,
        warmUp: times[0] as number,
        runs: times.slice(1),
      };
    } finally {
      explainer.dispose();
    }
  },
};

async function inputOf(task: PeerTask, { manifest }: Model): Promise<Float32Array<ArrayBuffer>> {
  const pixels = await prepareImage(await imageOf(task), manifest.input);
  return normalise(pixels, manifest) as Float32Array<ArrayBuffer>;
}

async function imageOf({ image }: PeerTask): Promise<Blob> {
  return (await fetch(image)).blob();
}

function prepare({ name, backend }: PeerTask, model: Model): Promise<Ready> {
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

window.peer = peer;
