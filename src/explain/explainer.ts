import { ScoreCamError } from '../errors';
import type { Slice } from '../kernels/kernel';
import { mapRanges } from '../kernels/map_ranges';
import { softmax } from '../kernels/softmax';
import type { Manifest } from '../model/manifest';
import { type LocatedModel, locateModel } from '../model/model';
import { type Shape, sizeOf, targetIndex, targetLayers } from '../model/network';
import { Arena } from '../runtime/arena';
import { type AdapterFacts, Gpu, requestAdapter } from '../runtime/gpu';
import { needsOf } from '../runtime/limits';
import { loadWeights } from '../runtime/load-weights';
import type { NetworkWeights } from '../runtime/network-weights';
import { type Masks, Runner } from '../runtime/runner';
import { classIndex, type Explanation, explainClass, type Run, rank } from './explanation';
import { normalise, type Pixels, prepareImage } from './image';
import { progressMeter } from './progress';
import type { ActivationMaps } from './saliency';
import type {
  Callbacks,
  ClassScore,
  ExplainerOptions,
  ExplainOptions,
  ImageSource,
  Method,
  WeightFacts,
  Weighting,
} from './types';
import { weightings } from './weightings';

const MIB = 1024 * 1024;
const DEFAULT_MEMORY_BUDGET = 256 * MIB;
const METHODS: readonly Method[] = ['score-cam'];

/** What a page may want to know of the loaded model. */
export interface ModelFacts {
  readonly name: string;
  readonly description: string;
  readonly licence: string;
  readonly labels: readonly string[];
  readonly input: Manifest['input'];
  readonly targetLayer: string;
  readonly weights: WeightFacts;
  /** Layers that can be explained. */
  readonly layers: readonly { readonly name: string; readonly channels: number }[];
}

/** A model on a GPU, ready to classify and explain images. Made by {@link createExplainer}. */
export class Explainer {
  readonly model: ModelFacts;
  private readonly runner: Runner;
  private readonly weights: NetworkWeights;
  private readonly manifest: Manifest;
  private readonly memoryBudget: number;

  constructor(
    model: Pick<LocatedModel, 'manifest' | 'network'>,
    gpu: Gpu,
    weights: NetworkWeights,
    facts: WeightFacts,
    memoryBudget: number,
  ) {
    const { manifest, network } = model;
    this.runner = new Runner(gpu, network, weights);
    this.weights = weights;
    this.manifest = manifest;
    this.memoryBudget = memoryBudget;
    this.model = {
      name: manifest.name,
      description: manifest.description,
      licence: manifest.licence,
      labels: manifest.labels,
      input: manifest.input,
      targetLayer: manifest.targetLayer,
      weights: facts,
      layers: targetLayers(network).map(({ name, output }) => ({
        name,
        channels: output.channels,
      })),
    };
  }

  get adapter(): AdapterFacts {
    return this.runner.gpu.adapter;
  }

  /** Bytes of GPU buffers now and at most so far, weights included. */
  get memory(): { readonly bytes: number; readonly peakBytes: number } {
    const { allocatedBytes, peakBytes } = this.runner.gpu;
    return { bytes: allocatedBytes, peakBytes };
  }

  /** One forward pass: all classes, likeliest first. */
  async classify(image: ImageSource, callbacks: Callbacks = {}): Promise<ClassScore[]> {
    const pixels = await prepareImage(image, this.manifest.input, callbacks.signal);
    const arena = new Arena(this.runner.gpu);
    try {
      const { logits } = await this.runner.forward(this.upload(pixels, arena), arena);
      return rank(await this.probabilities(logits), this.model.labels);
    } finally {
      arena.dispose();
    }
  }

  /**
   * Score-CAM (Wang et al. 2020, Algorithm 1) of one image: a forward pass, then one masked pass for
   * every channel of the target layer whose upsampled map is not constant.
   * @throws ScoreCamError naming what is wrong and what would be right; the signal's reason on abort.
   */
  async explain(source: ImageSource, options: ExplainOptions = {}): Promise<Explanation> {
    const { signal, onProgress } = options;
    const { gpu, network } = this.runner;
    const { labels } = this.model;
    const method = oneOf('method', options.method ?? 'score-cam', METHODS);
    const weighting = oneOf(
      'weighting',
      options.weighting ?? 'probability',
      Object.keys(weightings) as Weighting[],
    );
    const layer = options.layer ?? network.targetLayer;
    const target = network.layers[targetIndex(network, layer)]?.output as Shape;
    const asked = checkChannels(options.channels, target.channels);
    signal?.throwIfAborted();

    const clock = stopwatch();
    const arena = new Arena(gpu);
    try {
      const pixels = await prepareImage(source, this.manifest.input, signal);
      const input = this.upload(pixels, arena);
      const imageTime = clock();

      const { logits, kept } = await this.runner.forward(input, arena, [layer]);
      const probabilities = await this.probabilities(logits);
      const wanted = classIndex(options.class ?? 'auto', labels, probabilities);
      const activations = kept.get(layer) as Slice;
      const ranges = await this.ranges(activations, target, arena);
      const limits = await gpu.read(ranges.buffer, 2 * target.channels);
      checkFinite(limits, `The activation maps of ${layer}`);
      const isConstant = (k: number): boolean =>
        !((limits[2 * k + 1] as number) > (limits[2 * k] as number));
      const all = Array.from({ length: target.channels }, (_, k) => k);
      const constantChannels = all.filter(isConstant);
      const channels = Uint32Array.from(asked ?? all).filter((k) => !isConstant(k));
      const maps: ActivationMaps = {
        data: await gpu.read(activations.buffer, sizeOf(target)),
        count: target.channels,
        height: target.height,
        width: target.width,
      };
      const forwardTime = clock();

      const masks: Masks = {
        maps: activations,
        height: target.height,
        width: target.width,
        ranges,
        channels,
        alignCorners: false,
      };
      const masked = await this.maskedScores(input, masks, { onProgress, signal });
      const masksTime = clock();

      const run: Run = {
        gpu,
        labels,
        pixels,
        probabilities,
        layer,
        method,
        weighting,
        maps,
        counts: {
          total: target.channels,
          constant: constantChannels.length,
          evaluated: channels.length,
        },
        constantChannels,
        scores: spread(masked.logits, channels, target.channels, labels.length),
        channelScores: {
          channels,
          probabilities: masked.probabilities,
          classes: labels.length,
        },
        timings: { image: imageTime, forward: forwardTime, masks: masksTime },
      };
      return await explainClass(run, wanted);
    } finally {
      arena.dispose();
    }
  }

  /** Frees all GPU memory, and the device unless the caller brought it. Explanations cannot draw afterwards. */
  dispose(): void {
    this.weights.dispose();
    this.runner.gpu.dispose();
  }

  private upload(pixels: Pixels, arena: Arena): Slice {
    return arena.upload('image', normalise(pixels, this.manifest));
  }

  /** Min and max of each upsampled activation map: [K] pairs. */
  private async ranges(activations: Slice, target: Shape, arena: Arena): Promise<Slice> {
    const { gpu, network } = this.runner;
    const ranges = arena.take('map ranges', 8 * target.channels);
    await gpu.submit('map ranges', [
      mapRanges({
        label: 'activation maps',
        maps: activations,
        count: target.channels,
        mapHeight: target.height,
        mapWidth: target.width,
        height: network.input.height,
        width: network.input.width,
        alignCorners: false,
        ranges,
      }),
    ]);
    return ranges;
  }

  /** Logits and probabilities [masks, classes] of the masked passes. */
  private async maskedScores(
    input: Slice,
    masks: Masks,
    { onProgress, signal }: Callbacks,
  ): Promise<{ logits: Float32Array; probabilities: Float32Array }> {
    if (masks.channels.length === 0) {
      return { logits: new Float32Array(0), probabilities: new Float32Array(0) };
    }
    const logits = await this.runner.maskedLogits(input, masks, {
      memoryBudget: this.memoryBudget,
      onMasks: progressMeter('masks', onProgress),
      signal,
    });
    return { logits, probabilities: await this.probabilities(logits) };
  }

  /** Softmax of each row of [rows, classes] logits. */
  private async probabilities(logits: Float32Array): Promise<Float32Array> {
    checkFinite(logits, 'The logits');
    const { gpu } = this.runner;
    const classes = this.model.labels.length;
    const arena = new Arena(gpu);
    try {
      const probabilities = arena.take('probabilities', logits.byteLength);
      await gpu.submit('softmax', [
        softmax({
          label: 'scores',
          logits: arena.upload('logits', logits),
          probabilities,
          rows: logits.length / classes,
          classes,
        }),
      ]);
      return await gpu.read(probabilities.buffer, logits.length);
    } finally {
      arena.dispose();
    }
  }
}

/**
 * Loads a model onto a GPU.
 * @throws ScoreCamError `no-webgpu`, `no-adapter`, `manifest`, `network`, `weights` or `limit`.
 */
export async function createExplainer(options: ExplainerOptions): Promise<Explainer> {
  const { signal, onProgress, memoryBudget = DEFAULT_MEMORY_BUDGET } = options;
  if (!(memoryBudget > 0)) {
    throw new ScoreCamError(
      'option',
      `memoryBudget is ${memoryBudget}, must be a positive number of bytes.`,
    );
  }
  if (options.dtype) oneOf('dtype', options.dtype, ['f32', 'f16', 'int8']);
  // Before anything is downloaded: without WebGPU there is no use for it.
  const source = options.device ? { device: options.device } : { adapter: await requestAdapter() };
  const model = await locate(options);
  const gpu = await Gpu.create({ ...source, needs: needsOf(model.network) });
  try {
    const { weights, facts } = await loadWeights(gpu, model, {
      dtype: options.dtype,
      cache: options.cache,
      onBytes: progressMeter('weights', onProgress),
      signal,
    });
    return new Explainer(model, gpu, weights, facts, memoryBudget);
  } catch (error) {
    gpu.dispose();
    throw error;
  }
}

async function locate(options: ExplainerOptions): Promise<LocatedModel> {
  const { model, weights, signal, cache, retryDelays } = options;
  if (typeof model === 'string' || model instanceof URL) {
    return locateModel(model, { weights, signal, cache, retryDelays });
  }
  return {
    manifest: model.manifest,
    network: model.network,
    identity: undefined,
    open: async () => model.weights,
  };
}

function oneOf<T extends string>(option: string, value: T, allowed: readonly T[]): T {
  if (allowed.includes(value)) return value;
  throw new ScoreCamError(
    'option',
    `There is no ${option} "${value}". Choose from: ${allowed.join(', ')}.`,
  );
}

/** Sorted, without repeats. */
function checkChannels(
  channels: readonly number[] | undefined,
  total: number,
): readonly number[] | undefined {
  if (!channels) return undefined;
  const bad = channels.find((k) => !Number.isInteger(k) || k < 0 || k >= total);
  if (bad !== undefined || channels.length === 0) {
    throw new ScoreCamError(
      'option',
      `${bad === undefined ? 'The list of channels is empty' : `There is no channel ${bad}`}: ` +
        `the target layer's channels are numbered 0 to ${total - 1}.`,
    );
  }
  return [...new Set(channels)].sort((a, b) => a - b);
}

function checkFinite(values: Float32Array, what: string): void {
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  throw new ScoreCamError(
    'not-finite',
    `${what} hold ${values[bad]} at index ${bad}: the weights overflow in f32, or the image does.`,
  );
}

/** Rows of the evaluated channels put where they belong among all channels; NaN elsewhere. */
function spread(
  rows: Float32Array,
  channels: Uint32Array,
  total: number,
  classes: number,
): Float32Array {
  const all = new Float32Array(total * classes).fill(Number.NaN);
  channels.forEach((channel, row) => {
    all.set(rows.subarray(row * classes, (row + 1) * classes), channel * classes);
  });
  return all;
}

/** Milliseconds since the last call. */
function stopwatch(): () => number {
  let last = performance.now();
  return () => {
    const now = performance.now();
    const passed = now - last;
    last = now;
    return passed;
  };
}
