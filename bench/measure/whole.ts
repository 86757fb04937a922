import { explainClass, type Run } from '../../src/explain/explanation';
import { type Forward, runForward } from '../../src/explain/forward';
import { normalise } from '../../src/explain/image';
import { choose } from '../../src/explain/methods/choose';
import { METHODS } from '../../src/explain/methods/registry';
import type { Pixels } from '../../src/explain/pixels';
import { Arena } from '../../src/gpu/arena';
import type { Gpu } from '../../src/gpu/gpu';
import type { Slice } from '../../src/gpu/kernel';
import type { Model } from '../../src/model/model';
import { compile, type Plan } from '../../src/plan/compile';
import { FinishedScores } from '../../src/runtime/finished';
import { graphKit } from '../../src/runtime/load-graph-kit';
import { NetworkWeights } from '../../src/runtime/network-weights';
import {
  type MaskedPassOptions,
  type Masks,
  type Reach,
  Runner,
  type Scores,
} from '../../src/runtime/runner';

/** As createExplainer's default. */
const MEMORY_BUDGET = 256 * 1024 * 1024;

/** What a run may do without. */
export type Ways = Pick<MaskedPassOptions, 'skip'>;

/** A runner that can be told what to do without, and remembers what it heard of the work that masks reach. */
class BenchRunner extends Runner {
  ways: Ways = {};
  reach: Reach | undefined;

  override maskedScores(image: Slice, masks: Masks, options: MaskedPassOptions): Promise<Scores> {
    const onReach = (reach: Reach): void => {
      this.reach = reach;
    };
    return super.maskedScores(image, masks, { ...options, ...this.ways, onReach });
  }
}

/** A model on the GPU with one image, as an Explainer has it, but with every step to be timed by itself. */
export class LoadedModel {
  readonly runner: BenchRunner;
  private readonly gpu: Gpu;
  private readonly model: Model;
  private readonly pixels: Pixels;
  private readonly arena: Arena;
  private readonly input: Slice;

  private constructor(gpu: Gpu, model: Model, plan: Plan, weights: NetworkWeights, pixels: Pixels) {
    this.gpu = gpu;
    this.model = model;
    this.pixels = pixels;
    this.runner = new BenchRunner(gpu, plan, weights);
    this.arena = new Arena(gpu);
    const values = normalise(pixels, model.manifest);
    this.input = this.arena.upload('image', values as Float32Array<ArrayBuffer>);
  }

  /** Loads the model's weights, and closes them. */
  static async load(
    gpu: Gpu,
    model: Model,
    pixels: Pixels,
    onBytes?: (done: number, total: number) => void,
  ): Promise<LoadedModel> {
    const { weights: described } = model.manifest;
    const dtype = (described.format === 'seeded' ? undefined : described.dtype) ?? 'f32';
    const graph = await graphKit(model.network);
    const plan = compile(model.network, gpu.facts, { dtype, graph });
    try {
      const weights = await NetworkWeights.load(gpu, plan, model.weights, { onBytes });
      return new LoadedModel(gpu, model, plan, weights, pixels);
    } finally {
      await model.weights.close?.();
    }
  }

  /** One forward pass up to the logits. */
  async forward(): Promise<void> {
    const arena = new Arena(this.gpu);
    try {
      await this.runner.forward(this.input, arena, { magnitudes: false });
    } finally {
      arena.dispose();
    }
  }

  /** A forward pass that leaves the target layer's maps and their ranges in `arena`. */
  target(arena: Arena): Promise<Forward> {
    const { network } = this.model;
    const options = {
      layers: [network.targetLayer],
      keep: [],
      alignCorners: false,
      ownRanges: false,
    };
    return runForward(this.runner, this.input, arena, options);
  }

  /** Masked passes of the first `count` channels that make masks at all. */
  async masked(forward: Forward, count: number, ways: Ways): Promise<number> {
    const [target] = forward.targets;
    if (!target) throw new Error('A forward pass without target.');
    const { maps, activations, ranges, constantChannels } = target;
    const channels = Array.from({ length: maps.count }, (_, k) => k)
      .filter((k) => !constantChannels.includes(k))
      .slice(0, count);
    const { height, width } = maps;
    this.runner.ways = ways;
    await this.runner.maskedScores(
      this.input,
      {
        maps: activations,
        height,
        width,
        ranges,
        channels: Uint32Array.from(channels),
        alignCorners: false,
      },
      { memoryBudget: MEMORY_BUDGET },
    );
    return channels.length;
  }

  /** Score-CAM of the likeliest class from the normalised image to the finished map. */
  async explain(ways: Ways = {}): Promise<{ readonly passes: number }> {
    const { gpu, runner, pixels, model } = this;
    const { manifest, network } = model;
    const choice = await choose({}, network);
    runner.ways = ways;
    const arena = new Arena(gpu);
    try {
      const scoreCam = await METHODS[choice.method].load();
      const forward = await this.target(arena);
      const { probabilities, magnitudes } = forward;
      const finished = new FinishedScores();
      const shared = { choice, finished, memoryBudget: MEMORY_BUDGET, pixels, manifest };
      const evidence = await scoreCam(forward, {
        ...shared,
        onProgress: undefined,
        signal: undefined,
      });
      const run: Run = {
        runner,
        labels: network.labels,
        pixels,
        probabilities,
        magnitudes,
        choice,
        options: {},
        evidence,
        timings: { image: 0, forward: 0, masks: 0 },
      };
      const likeliest = probabilities.indexOf(Math.max(...probabilities));
      await explainClass(run, likeliest, evidence.passes);
      return { passes: evidence.passes.forward };
    } finally {
      arena.dispose();
    }
  }

  dispose(): void {
    this.arena.dispose();
    this.runner.weights.dispose();
  }
}
