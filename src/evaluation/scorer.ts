import type { SaliencyMap } from '../explain/types';
import { Arena } from '../gpu/arena';
import { applyMask } from '../kernels/inputs/apply_mask';
import { revealPixels } from '../kernels/inputs/reveal_pixels';
import type { Manifest } from '../model/manifest';
import type { FinishedScores } from '../runtime/finished';
import type { Runner } from '../runtime/runner';
import { type Fill, scoresAfter } from '../runtime/scores-after';
import { areaUnder, ranksOf } from './metrics';
import type { Curve } from './types';

/** What measuring needs of an explainer. */
export interface Bench {
  readonly runner: Runner;
  readonly manifest: Manifest;
  readonly memoryBudget: number;
  /** The map of a normalised image [3, height, width] by the same method for the same class, and its passes. */
  again(
    input: Float32Array<ArrayBuffer>,
    signal: AbortSignal | undefined,
  ): Promise<{ map: SaliencyMap; passes: number }>;
}

/** The class's probability for altered images. */
export class Scorer {
  passes = 0;
  private readonly bench: Bench;
  private readonly classIndex: number;
  private readonly finished: FinishedScores;
  private readonly signal: AbortSignal | undefined;

  constructor(
    bench: Bench,
    classIndex: number,
    finished: FinishedScores,
    signal: AbortSignal | undefined,
  ) {
    this.bench = bench;
    this.classIndex = classIndex;
    this.finished = finished;
    this.signal = signal;
  }

  /** Of the whole image, and of the image under each mask [height, width]. */
  async masked(
    image: Float32Array<ArrayBuffer>,
    masks: readonly Float32Array[],
    known: number | undefined,
  ): Promise<{ probability: number; masked: number[] }> {
    const pixels = image.length / 3;
    const whole = known === undefined ? [new Float32Array(pixels).fill(1)] : [];
    const all = [...whole, ...masks];
    const { height, width } = this.bench.runner.network.input;
    const scores = await this.score(all.length, (arena) => {
      const input = arena.upload('image', image);
      return (first, batch, output, own) => {
        const data = new Float32Array(batch * pixels);
        for (let i = 0; i < batch; i++) data.set(all[first + i] as Float32Array, i * pixels);
        const shape = { label: 'masked images', channels: 3, height, width };
        return [
          applyMask({ ...shape, batch, image: input, masks: own.upload('masks', data), output }),
        ];
      };
    });
    const [probability = known as number] = scores.splice(0, whole.length);
    return { probability, masked: scores };
  }

  /** With more and more pixels of `over` in place of those of `under`, the most salient first. */
  async curve(
    map: SaliencyMap,
    over: Float32Array<ArrayBuffer>,
    below: Float32Array<ArrayBuffer>,
    steps: number,
  ): Promise<Curve> {
    const pixels = map.width * map.height;
    const probabilities = await this.score(steps + 1, (arena) => {
      const images = {
        over: arena.upload('over', over),
        under: arena.upload('under', below),
        ranks: arena.upload('ranks', ranksOf(map.data)),
      };
      const shape = { label: 'revealed pixels', channels: 3, pixels, steps };
      return (first, batch, output) => [
        revealPixels({ ...shape, ...images, first, batch, output }),
      ];
    });
    return { auc: areaUnder(probabilities), probabilities };
  }

  /** Of normalised images [3, height, width], each made when its turn comes; the same one if it is asked for again. */
  images(count: number, imageOf: (i: number) => Float32Array): Promise<number[]> {
    const { height, width } = this.bench.runner.network.input;
    const values = 3 * height * width;
    return this.score(count, (arena) => {
      // Masks over ones: what is written is what is uploaded.
      const ones = arena.upload('ones', new Float32Array(values).fill(1));
      const shape = { label: 'altered images', channels: 1, height: 3 * height, width };
      return (first, batch, output, own) => {
        const data = new Float32Array(batch * values);
        for (let i = 0; i < batch; i++) data.set(imageOf(first + i), i * values);
        return [
          applyMask({ ...shape, batch, image: ones, masks: own.upload('images', data), output }),
        ];
      };
    });
  }

  private async score(count: number, prepare: (arena: Arena) => Fill): Promise<number[]> {
    const { runner, memoryBudget } = this.bench;
    if (count === 0) return [];
    const arena = new Arena(runner.gpu);
    try {
      const { finished, signal } = this;
      const run = { finished, memoryBudget, signal };
      const { probabilities } = await scoresAfter(runner, undefined, count, prepare(arena), run);
      const classes = runner.network.labels.length;
      this.passes += count;
      return Array.from({ length: count }, (_, i) => {
        return probabilities[i * classes + this.classIndex] as number;
      });
    } finally {
      arena.dispose();
    }
  }
}
