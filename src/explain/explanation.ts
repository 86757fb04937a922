import { ScoreCamError } from '../errors';
import { Arena } from '../gpu/arena';
import type { Gpu } from '../gpu/gpu';
import { type ColourMapName, colourMaps } from '../kernels/maps/colour_maps';
import { overlay } from '../kernels/maps/overlay';
import type { Evidence } from './evidence';
import type { Pixels } from './image';
import type { Chosen } from './methods/choose';
import type { MethodOptions } from './methods/method-options';
import type { GradientOf, Weighting } from './methods/options';
import type { Method } from './methods/registry';
import { fuseMaps, saliencyMap } from './saliency';
import type { ChannelCounts, ClassScore, LayerResult, Passes, SaliencyMap, Timings } from './types';

const NO_PASSES: Passes = { forward: 0, backward: 0, head: 0 };

/** What one run yields: good for every class. */
export interface Run {
  readonly gpu: Gpu;
  readonly labels: readonly string[];
  readonly pixels: Pixels;
  /** Softmax probabilities of the unmasked image, by class index. */
  readonly probabilities: Float32Array;
  readonly choice: Chosen;
  /** As the caller gave them, without class, signal, progress and previews. */
  readonly options: MethodOptions;
  readonly evidence: Evidence;
  readonly timings: Omit<Timings, 'backward' | 'map' | 'total'>;
}

/** What an {@link Explanation} consists of besides its run. */
interface Result {
  readonly map: SaliencyMap;
  readonly layers: readonly LayerResult[];
  readonly passes: Passes;
  readonly timings: Timings;
}

export interface DrawOptions {
  /** 0 shows the image, 1 the heat map alone. Default 0.5. */
  readonly opacity?: number | undefined;
  readonly colourMap?: ColourMapName | undefined;
}

/** Where the network looked for one class, with everything it was computed from. */
export class Explanation {
  private readonly run: Run;
  readonly class: ClassScore;
  readonly map: SaliencyMap;
  /** Each target layer's part; a single one unless several were asked for. */
  readonly layers: readonly LayerResult[];
  /** Passes run for this explanation; one from `forClass` counts only what was run anew. */
  readonly passes: Passes;
  readonly timings: Timings;

  /** @internal Made by {@link explainClass}. */
  constructor(run: Run, score: ClassScore, { map, layers, passes, timings }: Result) {
    this.run = run;
    this.class = score;
    this.map = map;
    this.layers = layers;
    this.passes = passes;
    this.timings = timings;
  }

  /** The image as the network saw it: RGBA at its input size. */
  get image(): ImageData {
    const { data, width, height } = this.run.pixels;
    return new ImageData(new Uint8ClampedArray(data), width, height);
  }

  /** The five likeliest classes of the unmasked image. */
  get top(): ClassScore[] {
    return rank(this.run.probabilities, this.run.labels).slice(0, 5);
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
   * itself (hires-cam, layer-cam).
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
  forClass(wanted: number | string): Promise<Explanation> {
    const { run } = this;
    const passes = { forward: 0, backward: 0, head: 0 };
    return explainClass(run, classIndex(wanted, run.labels, run.probabilities), passes);
  }

  /**
   * The same masked scores under another weighting of score-cam or faster-score-cam; `increase` runs one pass
   * of its baseline.
   * @throws ScoreCamError `option` for other methods, and for a weighting that needs other masks
   */
  async withWeighting(weighting: Weighting): Promise<Explanation> {
    const { run } = this;
    if (!run.evidence.reweighed) {
      throw new ScoreCamError(
        'option',
        `The method ${this.method} knows no weightings: explain the image by score-cam.`,
      );
    }
    const evidence = await run.evidence.reweighed(weighting);
    const choice = { ...run.choice, weighting };
    const other = { ...run, choice, options: { ...run.options, weighting }, evidence };
    return explainClass(other, this.class.index, evidence.passes);
  }

  /**
   * Draws the heat map over the image; the canvas takes the network's input size.
   * @throws ScoreCamError `option` if the opacity is not in [0, 1] or the colour map is unknown.
   */
  async draw(
    canvas: HTMLCanvasElement | OffscreenCanvas,
    options: DrawOptions = {},
  ): Promise<void> {
    const { opacity = 0.5, colourMap = 'turbo' } = options;
    if (!(opacity >= 0 && opacity <= 1)) {
      throw new ScoreCamError('option', `opacity is ${opacity}, must be from 0 to 1.`);
    }
    const colours = colourMaps[colourMap];
    if (!colours) {
      throw new ScoreCamError(
        'option',
        `There is no colour map "${colourMap}". Choose from: ${Object.keys(colourMaps).join(', ')}.`,
      );
    }
    const pixels = await this.render(opacity, colours);
    const { width, height } = this.map;
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext('2d') as
      | CanvasRenderingContext2D
      | OffscreenCanvasRenderingContext2D
      | null;
    if (!context) {
      throw new ScoreCamError(
        'option',
        'The canvas has no 2d context: it is in use by another API.',
      );
    }
    context.putImageData(new ImageData(pixels, width, height), 0, 0);
  }

  private async render(
    opacity: number,
    colours: Uint32Array,
  ): Promise<Uint8ClampedArray<ArrayBuffer>> {
    const { gpu, pixels } = this.run;
    const { width, height, data } = this.map;
    const arena = new Arena(gpu);
    try {
      const output = arena.take('overlay', 4 * width * height);
      await gpu.submit('overlay', [
        overlay({
          label: 'overlay',
          width,
          height,
          map: arena.upload('map', data),
          image: arena.upload('image', new Uint32Array(pixels.data.slice().buffer)),
          colours: arena.upload('colours', colours),
          opacity,
          output,
        }),
      ]);
      return new Uint8ClampedArray(
        (await gpu.read(output.buffer, width * height)).buffer as ArrayBuffer,
      );
    } finally {
      arena.dispose();
    }
  }
}

/**
 * Weighs the maps for one class and sums them up.
 * @param before passes run so far for this explanation
 */
export async function explainClass(run: Run, index: number, before: Passes): Promise<Explanation> {
  const { evidence, gpu, pixels } = run;
  const clock = stopwatch();
  const evidences = await evidence.ofClass(index);
  const { forward, backward, head } = evidence.passesOfClass ?? NO_PASSES;
  const weighing = clock();
  const layers: LayerResult[] = [];
  for (const { maps, alpha, ...layer } of evidences) {
    const { height, width } = pixels;
    const map = await saliencyMap(gpu, maps, alpha, height, width, evidence.rule);
    layers.push({ ...layer, map });
  }
  const map = fuseMaps(layers.map((layer) => layer.map));
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
  return new Explanation(run, score, {
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
export function classIndex(
  wanted: number | string,
  labels: readonly string[],
  probabilities: Float32Array,
): number {
  if (wanted === 'auto') return rank(probabilities, labels)[0]?.index as number;
  if (typeof wanted === 'number') {
    if (Number.isInteger(wanted) && wanted >= 0 && wanted < labels.length) return wanted;
    throw new ScoreCamError(
      'option',
      `There is no class ${wanted}: classes are numbered 0 to ${labels.length - 1}.`,
    );
  }
  const same = (label: string): boolean => label.toLowerCase() === wanted.trim().toLowerCase();
  const index = labels.includes(wanted) ? labels.indexOf(wanted) : labels.findIndex(same);
  if (index >= 0) return index;
  const part = wanted.trim().toLowerCase();
  const close = labels.filter((label) => label.toLowerCase().includes(part));
  const shown = (close.length > 0 ? close : labels).slice(0, 12);
  throw new ScoreCamError(
    'option',
    `There is no class "${wanted}". ${close.length > 0 ? 'Close' : 'Classes'}: ${shown.join(', ')}` +
      `${(close.length || labels.length) > shown.length ? ', ...' : ''}.`,
  );
}
