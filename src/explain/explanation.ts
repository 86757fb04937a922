import { ScoreCamError } from '../errors';
import { FinishedScores } from '../runtime/finished';
import type { Runner } from '../runtime/runner';
import type { LayerMagnitude } from '../runtime/scores';
import { checkOption } from './check';
import type { DrawOptions } from './draw';
import type { Evidence } from './evidence';
import type { Chosen } from './methods/choose';
import type { MethodOptions } from './methods/method-options';
import { type GradientOf, OPTIONS, type Weighting } from './methods/options';
import type { Method } from './methods/registry';
import { imageData, type Pixels } from './pixels';
import { CLASS } from './rules';
import { fuseMaps, saliencyMap } from './saliency';
import type { ChannelCounts, ClassScore, LayerResult, Passes, SaliencyMap, Timings } from './types';

const NO_PASSES: Passes = { forward: 0, backward: 0, head: 0 };

/** What is known of a run wherever it was: plain data. */
export interface Findings {
  readonly labels: readonly string[];
  readonly pixels: Pixels;
  /** Softmax probabilities of the unmasked image, by class index. */
  readonly probabilities: Float32Array;
  readonly magnitudes: readonly LayerMagnitude[];
  readonly choice: Pick<Chosen, 'layers' | 'method' | 'weighting' | 'of'>;
  /** As the caller gave them, without class, signal, progress and previews. */
  readonly options: MethodOptions;
}

/** What one run yields: good for every class. */
export interface Run extends Findings {
  readonly runner: Runner;
  readonly choice: Chosen;
  readonly evidence: Evidence;
  readonly timings: Omit<Timings, 'backward' | 'map' | 'total'>;
}

/** What an {@link Explanation} consists of besides its run. */
export interface Result {
  readonly map: SaliencyMap;
  readonly layers: readonly LayerResult[];
  readonly passes: Passes;
  readonly timings: Timings;
}

/** Where the network looked for one class, with everything it was computed from. */
export abstract class Explanation {
  /** @internal */
  readonly run: Findings;
  readonly class: ClassScore;
  readonly map: SaliencyMap;
  /** Each target layer's part; a single one unless several were asked for. */
  readonly layers: readonly LayerResult[];
  /** Passes run for this explanation; one from `forClass` counts only what was run anew. */
  readonly passes: Passes;
  readonly timings: Timings;

  /** @internal */
  constructor(run: Findings, score: ClassScore, { map, layers, passes, timings }: Result) {
    this.run = run;
    this.class = score;
    this.map = map;
    this.layers = layers;
    this.passes = passes;
    this.timings = timings;
  }

  /** The image as the network saw it: RGBA at its input size; a plain object where JavaScript has no ImageData. */
  get image(): ImageData {
    return imageData(this.run.pixels);
  }

  /** The five likeliest classes of the unmasked image. */
  get top(): ClassScore[] {
    return rank(this.run.probabilities, this.run.labels).slice(0, 5);
  }

  /** Of each layer's output for the unmasked image, in the order they are computed in: how near to overflow it comes. */
  get magnitudes(): readonly LayerMagnitude[] {
    return this.run.magnitudes;
  }

  /** The target layer; several are separated by commas; empty for methods that look into none (rise). */
  get layer(): string {
    return this.run.choice.layers.join(',');
  }

  /** The options it was made by, without class, signal, progress and previews. */
  get options(): MethodOptions {
    return this.run.options;
  }

  get method(): Method {
    return this.run.choice.method;
  }

  /** Of score-cam and faster-score-cam; undefined for other methods. */
  get weighting(): Weighting | undefined {
    return this.run.choice.weighting;
  }

  /** What was differentiated; undefined for methods without gradients. */
  get of(): GradientOf | undefined {
    return this.run.choice.of;
  }

  /** Of all target layers together. */
  get channels(): ChannelCounts {
    const sum = (of: (counts: ChannelCounts) => number): number =>
      this.layers.reduce((total, { channels }) => total + of(channels), 0);
    return {
      total: sum(({ total }) => total),
      constant: sum(({ constant }) => constant),
      evaluated: sum(({ evaluated }) => evaluated),
    };
  }

  /**
   * Channels whose upsampled map is constant; score-cam skips them. With several layers the numbers run on
   * from each layer to the next, here, in `weights` and in `scores`.
   */
  get constantChannels(): readonly number[] {
    let before = 0;
    return this.layers.flatMap(({ channels, constantChannels }) => {
      const own = constantChannels.map((k) => before + k);
      before += channels.total;
      return own;
    });
  }

  /**
   * alpha_k of each channel; 0 where score-cam skipped it. Empty for methods that weigh every pixel by
   * itself (such as hires-cam).
   */
  get weights(): Float32Array {
    return joined(this.layers.map(({ weights }) => weights));
  }

  /**
   * [channels, classes] logits of the masked passes; NaN rows where a channel was not evaluated. Empty for
   * methods without masked passes.
   */
  get scores(): Float32Array {
    return joined(this.layers.map(({ scores }) => scores));
  }

  /**
   * The same run seen for another class (index or label). Score-CAM and CAM run no pass again; the gradient
   * methods run one backward pass.
   */
  abstract forClass(wanted: number | string): Promise<Explanation>;

  /**
   * The same masked scores under another weighting of score-cam or faster-score-cam; `increase` runs one pass
   * of its baseline.
   * @throws ScoreCamError `option` for other methods, and for a weighting that needs other masks
   */
  abstract withWeighting(weighting: Weighting): Promise<Explanation>;

  /**
   * The heat map over the image, at the network's input size: RGBA, alpha 255, as ImageData, or as a plain object of the
   * same members where JavaScript has none. Needs no canvas.
   * @throws ScoreCamError `option` if the opacity is not in [0, 1] or the colour map is unknown.
   */
  abstract overlay(options?: DrawOptions): Promise<ImageData>;

  /**
   * Draws {@link overlay} on a canvas, which takes the network's input size.
   * @throws ScoreCamError `option` as `overlay`, or if the canvas has another context.
   */
  async draw(
    canvas: HTMLCanvasElement | OffscreenCanvas,
    options: DrawOptions = {},
  ): Promise<void> {
    const { draw } = await import('./draw');
    await draw(canvas, () => this.overlay(options));
  }
}

/** Of a run on this thread. */
class LocalExplanation extends Explanation {
  declare readonly run: Run;

  async forClass(wanted: number | string): Promise<Explanation> {
    const { run } = this;
    const index = await classIndex(wanted, run.labels, run.probabilities);
    return explainClass(run, index, NO_PASSES);
  }

  async withWeighting(weighting: Weighting): Promise<Explanation> {
    const { run } = this;
    await checkOption('weighting', OPTIONS.weighting, weighting);
    if (!run.evidence.reweighed) {
      throw new ScoreCamError(
        'option',
        `The method ${this.method} knows no weightings: explain the image by score-cam.`,
      );
    }
    const { reweighed } = run.evidence;
    const evidence = await run.runner.lasting(() => reweighed(weighting));
    const choice = { ...run.choice, weighting };
    const other = { ...run, choice, options: { ...run.options, weighting }, evidence };
    return explainClass(other, this.class.index, evidence.passes);
  }

  async overlay(options: DrawOptions = {}): Promise<ImageData> {
    const { overlayOf } = await import('./draw');
    const { runner, pixels } = this.run;
    return runner.lasting(() => overlayOf(runner.gpu, this.map, pixels, options));
  }
}

/**
 * Weighs the maps for one class and sums them up.
 * @param before passes run so far for this explanation
 */
export function explainClass(run: Run, index: number, before: Passes): Promise<Explanation> {
  const finished = new FinishedScores();
  return run.runner.lasting(() => {
    finished.rewind();
    return weighClass(run, index, before, finished);
  });
}

async function weighClass(
  run: Run,
  index: number,
  before: Passes,
  finished: FinishedScores,
): Promise<Explanation> {
  const { evidence, runner, pixels } = run;
  const clock = stopwatch();
  const evidences = await evidence.ofClass(index, finished);
  const { forward, backward, head } = evidence.passesOfClass ?? NO_PASSES;
  const weighing = clock();
  const layers: LayerResult[] = [];
  for (const { maps, alpha, ...layer } of evidences) {
    const { height, width } = pixels;
    const map = await saliencyMap(runner.gpu, maps, alpha, height, width, evidence.rule);
    layers.push({ ...layer, map });
  }
  const map = fuseMaps(
    layers.map((layer) => layer.map),
    evidence.isProduct,
  );
  const score = {
    index,
    label: run.labels[index] as string,
    probability: run.probabilities[index] as number,
  };
  const times = {
    ...run.timings,
    // Masked passes of this class alone count as such; the one backward pass before them is short.
    masks: run.timings.masks + (forward > 0 ? weighing : 0),
    backward: backward > 0 && forward === 0 ? weighing : 0,
    map: clock() + (backward > 0 ? 0 : weighing),
  };
  const total = Object.values(times).reduce((sum, time) => sum + time, 0);
  return new LocalExplanation(run, score, {
    map,
    layers,
    passes: {
      forward: before.forward + forward,
      backward: before.backward + backward,
      head: before.head + head,
    },
    timings: { ...times, total },
  });
}

/** Milliseconds since the last call. */
export function stopwatch(): () => number {
  let last = performance.now();
  return () => {
    const now = performance.now();
    const passed = now - last;
    last = now;
    return passed;
  };
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const [first] = parts;
  if (parts.length === 1 && first) return first;
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** All classes, likeliest first. */
export function rank(probabilities: Float32Array, labels: readonly string[]): ClassScore[] {
  return Array.from(probabilities, (probability, index) => ({
    index,
    label: labels[index] as string,
    probability,
  })).sort((a, b) => b.probability - a.probability);
}

/**
 * Index of a class given as index, label (upper and lower case alike) or `auto`, the likeliest.
 * @throws ScoreCamError `option` naming the value and the classes there are.
 */
export async function classIndex(
  wanted: number | string,
  labels: readonly string[],
  probabilities: Float32Array,
): Promise<number> {
  if (wanted === 'auto') return rank(probabilities, labels)[0]?.index as number;
  await checkOption('class', CLASS, wanted);
  const isOne = (label: string): boolean =>
    label.toLowerCase() === String(wanted).trim().toLowerCase();
  const index =
    typeof wanted === 'number'
      ? [...labels.keys()].indexOf(wanted)
      : labels.includes(wanted)
        ? labels.indexOf(wanted)
        : labels.findIndex(isOne);
  return index >= 0 ? index : (await import('./methods/misfits')).noClass(wanted, labels);
}
