import type { Measurable, MeasureOptions, Measures } from './evaluation/types';
import { checked, checkOption } from './explain/check';
import type { Evidence } from './explain/evidence';
import type { ExplainOptions } from './explain/explain-options';
import type { ExplainerOptions } from './explain/explainer-options';
import {
  classIndex,
  type Explanation,
  explainClass,
  type Run,
  rank,
  stopwatch,
} from './explain/explanation';
import { runForward } from './explain/forward';
import { normalise, prepareImage } from './explain/image';
import { admittedMethods, choose } from './explain/methods/choose';
import { METHODS, type Method } from './explain/methods/registry';
import { weightings } from './explain/methods/weightings';
import { CALLBACKS, EXPLAIN, EXPLAINER } from './explain/option-rules';
import type { Pixels } from './explain/pixels';
import { progressMeter, tell } from './explain/progress';
import type { Callbacks, ClassScore, ImageSource, WeightFacts } from './explain/types';
import type { Explainer, ModelFacts } from './explainer-api';
import { Arena } from './gpu/arena';
import { type AdapterFacts, adapterName } from './gpu/facts';
import { Gpu, type GpuOptions, requestAdapter } from './gpu/gpu';
import type { Manifest } from './model/manifest';
import { type LocatedModel, locateModel } from './model/model';
import { IMAGE, targetLayers } from './model/network';
import { compile, type Plan } from './plan/compile';
import { needsOf } from './plan/needs';
import type { ConvTuning, Tuned } from './plan/tuning-types';
import type { Engine } from './runtime/engine';
import { FinishedScores } from './runtime/finished';
import { layersToKeep } from './runtime/layers-to-keep';
import { graphKit } from './runtime/load-graph-kit';
import { loadWeights } from './runtime/load-weights';
import { Runner } from './runtime/runner';

const MIB = 1024 * 1024;
const DEFAULT_MEMORY_BUDGET = 256 * MIB;

/** On this thread. */
export class LocalExplainer implements Explainer {
  readonly model: ModelFacts;
  readonly tuning: ConvTuning | undefined;
  readonly prepared: Promise<void>;
  private readonly runner: Runner;
  private readonly manifest: Manifest;
  private readonly memoryBudget: number;

  constructor(
    model: Pick<LocatedModel, 'manifest' | 'network'>,
    runner: Runner,
    facts: Pick<WeightFacts, 'dtype'> & Partial<WeightFacts>,
    memoryBudget: number,
    prepared: Promise<void> = Promise.resolve(),
  ) {
    const { manifest, network } = model;
    this.tuning = runner.plan.options.tuned?.tuning;
    this.runner = runner;
    this.manifest = manifest;
    this.memoryBudget = memoryBudget;
    this.prepared = prepared;
    this.model = {
      name: manifest.name,
      description: manifest.description,
      licence: manifest.licence,
      labels: manifest.labels,
      input: manifest.input,
      targetLayer: manifest.targetLayer,
      weights: { bytes: 0, fromCache: false, notKept: undefined, ...facts },
      layers: targetLayers(network).map(({ name, output: { channels, height, width } }) => ({
        name,
        channels,
        height,
        width,
      })),
      methods: admittedMethods(network, manifest.targetLayer),
    };
  }

  get adapter(): AdapterFacts {
    return this.runner.gpu.adapter;
  }

  get memory(): { readonly bytes: number; readonly peakBytes: number } {
    const { allocatedBytes, peakBytes } = this.runner.gpu;
    return { bytes: allocatedBytes, peakBytes };
  }

  async classify(image: ImageSource, callbacks: Callbacks = {}): Promise<ClassScore[]> {
    const { signal } = await checked(CALLBACKS, callbacks);
    const pixels = await prepareImage(image, this.manifest.input, signal);
    const input = normalise(pixels, this.manifest) as Float32Array<ArrayBuffer>;
    const { runner } = this;
    return runner.lasting(async () => {
      const arena = new Arena(runner.gpu);
      try {
        const image = arena.upload('image', input);
        const { probabilities } = await runner.forward(image, arena, { magnitudes: false });
        signal?.throwIfAborted();
        return rank(probabilities, this.model.labels);
      } finally {
        arena.dispose();
      }
    });
  }

  async explain(source: ImageSource, options: ExplainOptions = {}): Promise<Explanation> {
    const own = await checked(EXPLAIN, options);
    await choose(own, this.runner.network);
    const clock = stopwatch();
    const pixels = await prepareImage(source, this.manifest.input, own.signal);
    const input = normalise(pixels, this.manifest) as Float32Array<ArrayBuffer>;
    return this.explainInput(input, pixels, own, clock());
  }

  async measure(subject: Measurable, options: MeasureOptions = {}): Promise<Measures> {
    const { runner, manifest, memoryBudget } = this;
    const again = async (input: Float32Array<ArrayBuffer>, signal: AbortSignal | undefined) => {
      const asked = { ...subject.options, class: subject.class.index, signal };
      const own = await checked(EXPLAIN, asked);
      const { map, passes } = await this.explainInput(input, subject.image, own, 0);
      return { map, passes: passes.forward };
    };
    const { measure } = await import('./evaluation/measure');
    return measure({ runner, manifest, memoryBudget, again }, subject, options);
  }

  /** Explains a normalised image [3, height, width]; `pixels` are what it is drawn on. */
  private explainInput(
    values: Float32Array<ArrayBuffer>,
    pixels: Pixels,
    options: ExplainOptions,
    imageTime: number,
  ): Promise<Explanation> {
    const finished = new FinishedScores();
    return this.runner.lasting(() => {
      finished.rewind();
      return this.explainOnce(values, pixels, options, imageTime, finished);
    });
  }

  private async explainOnce(
    values: Float32Array<ArrayBuffer>,
    pixels: Pixels,
    options: ExplainOptions,
    imageTime: number,
    finished: FinishedScores,
  ): Promise<Explanation> {
    const { signal, onProgress } = options;
    const { runner, manifest, memoryBudget } = this;
    const { gpu, network } = runner;
    const { labels } = this.model;
    const choice = await choose(options, network);
    const { needsGradients, givesPreviews, usesLayer, load } = METHODS[choice.method];
    // Before any pass: where its code cannot be fetched, that is known at once.
    const runMethod = await load();
    const clock = stopwatch();
    const arena = new Arena(gpu);
    try {
      signal?.throwIfAborted();
      const input = arena.upload('image', values);
      const forward = await runForward(runner, input, arena, {
        layers: choice.layers,
        keep: needsGradients ? layersToKeep(runner.plan, usesLayer ? choice.layers : [IMAGE]) : [],
        alignCorners: choice.alignCorners,
        ownRanges: choice.weighting !== undefined && weightings[choice.weighting].normaliseFirst,
      });
      const { probabilities, magnitudes } = forward;
      const wanted = await classIndex(options.class ?? 'auto', labels, probabilities);
      const forwardTime = clock();
      signal?.throwIfAborted();

      const explained = (evidence: Evidence, evidenceTime: number): Promise<Explanation> => {
        const { passes } = evidence;
        const timings =
          passes.forward + passes.head > 0
            ? { image: imageTime, forward: forwardTime, masks: evidenceTime }
            : { image: imageTime, forward: forwardTime + evidenceTime, masks: 0 };
        const { class: _, signal: __, onProgress: ___, onPreview: ____, ...made } = options;
        const run: Run = {
          runner,
          labels,
          pixels,
          probabilities,
          magnitudes,
          choice,
          options: made,
          evidence,
          timings,
        };
        return explainClass(run, wanted, { ...passes, forward: passes.forward + 1 });
      };
      const { onPreview } = options;
      const begun = performance.now();
      const onEvidence = async (soFar: Evidence): Promise<void> => {
        const preview = await explained(soFar, performance.now() - begun);
        if (!signal?.aborted) tell(onPreview, preview);
      };
      const evidence = await runMethod(forward, {
        choice,
        finished,
        memoryBudget,
        pixels,
        manifest,
        onProgress,
        signal,
        ...(onPreview && givesPreviews ? { onEvidence } : {}),
      });
      const explanation = await explained(evidence, clock());
      signal?.throwIfAborted();
      return explanation;
    } finally {
      arena.dispose();
    }
  }

  dispose(): void {
    this.runner.dispose();
  }
}

/**
 * Loads a model onto a GPU.
 * @throws ScoreCamError `option`, `no-webgpu`, `no-adapter`, `manifest`, `network`, `weights` or `limit`; `worker` if there
 *   is none where one is asked for.
 */
export async function createExplainer(given: ExplainerOptions): Promise<Explainer> {
  const options = await checked(EXPLAINER, given);
  await checkOption('model', EXPLAINER.model, options.model);
  const { signal, memoryBudget = DEFAULT_MEMORY_BUDGET } = options;
  signal?.throwIfAborted();
  if (options.worker) return (await import('./remote/create')).createRemote(options);
  // Before anything is downloaded: without WebGPU there is no use for it.
  const source = options.device ? { device: options.device } : { adapter: await requestAdapter() };
  const model = await locate(options);
  const engine = await engineOn(source, model, options, memoryBudget);
  const { gpu, plan, weights, facts, prepared } = engine;
  const { device, getDevice } = options;
  const renew = async (): Promise<Engine> => {
    const again = getDevice ? { device: await getDevice() } : { adapter: await requestAdapter() };
    // What was measured still counts, and the creation's signal does not any more.
    const tuning = plan.options.tuned?.tuning;
    return engineOn(
      again,
      model,
      { ...options, tune: false, tuning, signal: undefined },
      memoryBudget,
    );
  };
  // A device of the caller's is the caller's to replace.
  const runner = new Runner(gpu, plan, weights, device && !getDevice ? undefined : renew);
  return new LocalExplainer(model, runner, facts, memoryBudget, prepared);
}

/** A model on a device: its plan there, and its weights laid out as the plan says. */
async function engineOn(
  source: Pick<GpuOptions, 'device' | 'adapter'>,
  model: LocatedModel,
  options: ExplainerOptions,
  memoryBudget: number,
): Promise<Engine & { readonly facts: WeightFacts; readonly prepared: Promise<void> }> {
  const { cache, onDeviceLost, onProgress, prepare, signal } = options;
  const gpu = await Gpu.create({ ...source, needs: needsOf(model.network) });
  try {
    const plan = await planFor(gpu, model, options, memoryBudget);
    const prepared = prepare
      ? rehearse(gpu, plan, model, memoryBudget, prepare)
      : Promise.resolve();
    const { weights, facts } = await loadWeights(gpu, plan, model, {
      cache,
      onBytes: progressMeter('weights', onProgress),
      signal,
    });
    signal?.throwIfAborted();
    void gpu.lost.then((reason) => {
      if (reason) tell(onDeviceLost, reason);
    });
    return { gpu, plan, weights, facts, prepared };
  } catch (error) {
    gpu.dispose();
    throw error;
  }
}

/** Compiles all kernels of an explanation by one that computes nothing. Never rejects. */
async function rehearse(
  gpu: Gpu,
  plan: Plan,
  model: LocatedModel,
  memoryBudget: number,
  method: Method,
): Promise<void> {
  const { width, height } = model.manifest.input;
  const image = { data: new Uint8ClampedArray(4 * width * height), width, height };
  try {
    const { Rehearsal } = await import('./runtime/rehearsal');
    const rehearsal = new Rehearsal(gpu, plan);
    const runner = new Runner(rehearsal.engine.gpu, plan, rehearsal.engine.weights);
    const explainer = new LocalExplainer(model, runner, plan, memoryBudget);
    await explainer.explain(image, { method, onPreview() {} });
    await rehearsal.compile();
  } catch {
    // Whoever explains by this method is told why not.
  }
}

/**
 * How the model is to be computed on this GPU: in which precision, and by what was measured or is to be measured now.
 */
async function planFor(
  gpu: Gpu,
  { network, manifest }: LocatedModel,
  options: ExplainerOptions,
  memoryBudget: number,
): Promise<Plan> {
  const { precision = 'f32', tune = false, tuning: given, signal, onProgress } = options;
  if (precision !== 'f32' && !gpu.facts.features.has('shader-f16')) {
    throw (await import('./gpu/faults')).noHalf(
      precision,
      adapterName(gpu.adapter),
      options.device !== undefined,
    );
  }
  let tuned: Tuned | undefined;
  if (given || tune) {
    const { takeTuning } = await import('./runtime/kept-tuning');
    tuned = await takeTuning(gpu, network, {
      given,
      tune,
      cache: options.tuningCache,
      precision,
      memoryBudget,
      onProgress: progressMeter('tuning', onProgress),
      signal,
    });
  }
  const inFile = manifest.weights.format === 'seeded' ? undefined : manifest.weights.dtype;
  const graph = await graphKit(network);
  return compile(network, gpu.facts, { dtype: options.dtype ?? inFile, precision, tuned, graph });
}

async function locate(options: ExplainerOptions): Promise<LocatedModel> {
  const { model } = options;
  if (typeof model === 'string' || !('network' in model)) return locateModel(model, options);
  return {
    manifest: model.manifest,
    network: model.network,
    identity: undefined,
    open: async () => model.weights,
  };
}
