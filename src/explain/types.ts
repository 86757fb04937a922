import type { Model } from '../model/model';
import type { AdapterFacts } from '../runtime/gpu';

/** Anything a page has an image in. A string or URL is fetched; a Blob or File is decoded. */
export type ImageSource =
  | HTMLImageElement
  | ImageBitmap
  | ImageData
  | HTMLCanvasElement
  | OffscreenCanvas
  | Blob
  | URL
  | string;

/** Progress of long work. `total` is known from the start of each phase. */
export interface Progress {
  /**
   * `weights`: bytes of weights on the GPU; `masks`: masked passes done (of the evaluated channels).
   */
  readonly phase: 'weights' | 'masks';
  readonly done: number;
  readonly total: number;
  /** Units (bytes or passes) per second so far; 0 until it is known. */
  readonly rate: number;
  /** Estimated seconds to the end of this phase; undefined until it is known. */
  readonly secondsLeft: number | undefined;
}

export interface Callbacks {
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Aborting rejects the promise with the signal's reason; nothing is left behind. */
  readonly signal?: AbortSignal | undefined;
}

export interface ExplainerOptions extends Callbacks {
  /**
   * URL of a model manifest (docs/model-format.md), `vgg16-seeded-N` for a generated full-size VGG-16,
   * or a loaded {@link Model}.
   */
  readonly model: string | URL | Model;
  /** Bring your own device; it is never destroyed here. */
  readonly device?: GPUDevice | undefined;
  /** Bytes of GPU memory for activations and features, weights not counted. Default 256 MiB. */
  readonly memoryBudget?: number | undefined;
}

export type Method = 'score-cam';
export type Weighting = 'probability';

export interface ExplainOptions extends Callbacks {
  /** Class to explain: the likeliest (`auto`, the default), an index, or a label. */
  readonly class?: number | string | undefined;
  /** Target layer: a convolution's name. Default: the manifest's `targetLayer`. */
  readonly layer?: string | undefined;
  readonly method?: Method | undefined;
  readonly weighting?: Weighting | undefined;
  /** Evaluate only these channels of the target layer. Default: all. */
  readonly channels?: readonly number[] | undefined;
}

export interface ClassScore {
  readonly index: number;
  readonly label: string;
  /** Softmax probability for the unmasked image. */
  readonly probability: number;
}

/** A class activation map at the network's input size. */
export interface SaliencyMap {
  readonly width: number;
  readonly height: number;
  /** height x width values, row by row, min-max normalised to [0, 1]; all 0 where `flat`. */
  readonly data: Float32Array;
  /** True where the map has no contrast (max == min), so that nothing can be shown. */
  readonly flat: boolean;
}

export interface ChannelCounts {
  /** Channels of the target layer. */
  readonly total: number;
  /** Channels whose upsampled map is constant: skipped, weight 0 (exact). */
  readonly constant: number;
  /** Channels for which a masked pass was run. */
  readonly evaluated: number;
}

/** Milliseconds by the wall clock. */
export interface Timings {
  /** Decoding, resampling and normalising the image. */
  readonly image: number;
  /** The forward pass of the unmasked image, with the activation maps' ranges. */
  readonly forward: number;
  /** All masked passes. */
  readonly masks: number;
  /** Weights, weighted sum, upsampling, normalisation. */
  readonly map: number;
  readonly total: number;
}

export type { AdapterFacts };
