import { ScoreCamError } from '../errors';
import { type ColourMapName, colourMaps } from '../kernels/colour_maps';
import { overlay } from '../kernels/overlay';
import { Arena } from '../runtime/arena';
import type { Gpu } from '../runtime/gpu';
import type { Pixels } from './image';
import { type ActivationMaps, saliencyMap } from './saliency';
import type { ChannelCounts, ClassScore, Method, SaliencyMap, Timings, Weighting } from './types';
import { type ChannelScores, weightings } from './weightings';

/** What one run of masked passes yields: good for every class, since all scores are kept. */
export interface Run {
  readonly gpu: Gpu;
  readonly labels: readonly string[];
  readonly pixels: Pixels;
  /** Softmax probabilities of the unmasked image, by class index. */
  readonly probabilities: Float32Array;
  readonly layer: string;
  readonly method: Method;
  readonly weighting: Weighting;
  readonly maps: ActivationMaps;
  readonly counts: ChannelCounts;
  readonly constantChannels: readonly number[];
  /** [channels, classes] logits of the masked images; NaN rows where a channel was not evaluated. */
  readonly scores: Float32Array;
  readonly channelScores: ChannelScores;
  readonly timings: Omit<Timings, 'map' | 'total'>;
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
  /** alpha_k of each channel of the target layer; 0 where constant or not evaluated. */
  readonly weights: Float32Array;
  readonly timings: Timings;

  /** Made by {@link explainClass}. */
  constructor(
    run: Run,
    score: ClassScore,
    map: SaliencyMap,
    weights: Float32Array,
    mapMilliseconds: number,
  ) {
    this.run = run;
    this.class = score;
    this.map = map;
    this.weights = weights;
    const { image, forward, masks } = run.timings;
    const total = image + forward + masks + mapMilliseconds;
    this.timings = { ...run.timings, map: mapMilliseconds, total };
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

  get layer(): string {
    return this.run.layer;
  }

  get method(): Method {
    return this.run.method;
  }

  get weighting(): Weighting {
    return this.run.weighting;
  }

  get channels(): ChannelCounts {
    return this.run.counts;
  }

  /** Channels whose upsampled map is constant; they were skipped. */
  get constantChannels(): readonly number[] {
    return this.run.constantChannels;
  }

  /** [channels, classes] logits of the masked passes; NaN rows where a channel was not evaluated. */
  get scores(): Float32Array {
    return this.run.scores;
  }

  /** The same run seen for another class (index or label): no pass is run again. */
  forClass(wanted: number | string): Promise<Explanation> {
    return explainClass(this.run, classIndex(wanted, this.run.labels, this.run.probabilities));
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

/** Weighs the maps for one class and sums them up. */
export async function explainClass(run: Run, index: number): Promise<Explanation> {
  const start = performance.now();
  const weights = new Float32Array(run.maps.count);
  weightings[run.weighting](run.channelScores, index, weights);
  const { height, width } = run.pixels;
  const map = await saliencyMap(run.gpu, run.maps, weights, height, width);
  const score = {
    index,
    label: run.labels[index] as string,
    probability: run.probabilities[index] as number,
  };
  return new Explanation(run, score, map, weights, performance.now() - start);
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
