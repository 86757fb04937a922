import type { AdapterFacts } from '../gpu/facts';
import type { WeightDtype } from '../numbers/dtypes';
import type { Pixels } from './pixels';

/**
 * Anything an image is in. A string or URL is fetched; a Blob or File is decoded; pixels are taken as they are. Of a video
 * it is the frame that is shown when it is read, soon after the call; nothing that is given is closed.
 */
export type ImageSource =
  | HTMLImageElement
  | HTMLVideoElement
  | VideoFrame
  | ImageBitmap
  | ImageData
  | Pixels
  | HTMLCanvasElement
  | OffscreenCanvas
  | Blob
  | URL
  | string;

/** Progress of long work. `total` is known from the start of each phase. */
export interface Progress {
  /**
   * `tuning`: ways to compute a convolution that were measured; `weights`: bytes of weights on the GPU, as they
   * arrive from the network or the cache; `masks`: masked or head-only passes done.
   */
  readonly phase: 'tuning' | 'weights' | 'masks';
  readonly done: number;
  readonly total: number;
  /** Units (bytes or passes) per second so far; 0 until it is known. */
  readonly rate: number;
  /** Estimated seconds to the end of this phase; undefined until it is known. */
  readonly secondsLeft: number | undefined;
}

export interface Callbacks {
  /** What it throws, or its promise rejects with, is reported as an event listener's is, and stops nothing. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Aborting rejects the promise with the signal's reason; nothing is left behind. */
  readonly signal?: AbortSignal | undefined;
}

/** How a model's weights came to the GPU. */
export interface WeightFacts {
  readonly dtype: WeightDtype;
  /** Bytes of the network's tensors in that form. */
  readonly bytes: number;
  /** Whether they came from the cache, not from where the model says. */
  readonly fromCache: boolean;
  /** Why they are not kept although a cache was given; undefined if they are, or none was. */
  readonly notKept: string | undefined;
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
  /** Channels that masked passes were run for. */
  readonly evaluated: number;
}

/** Passes through the network, or through as much of it as was needed. */
export interface Passes {
  /** Whole images: the unmasked one, the masked ones and the baseline. */
  readonly forward: number;
  /** From the logits back to the earliest target layer. */
  readonly backward: number;
  /** From altered activation maps of the target layer to the logits. */
  readonly head: number;
}

/** One target layer's part in an explanation. */
export interface LayerResult {
  readonly layer: string;
  readonly channels: ChannelCounts;
  /** Channels whose upsampled map is constant. */
  readonly constantChannels: readonly number[];
  /** The layer's own map. */
  readonly map: SaliencyMap;
  /** alpha_k of each channel; empty for methods that weigh every pixel by itself (such as hires-cam). */
  readonly weights: Float32Array;
  /** [channels, classes] logits of masked passes, NaN where none was run; empty without masked passes. */
  readonly scores: Float32Array;
}

/** Milliseconds by the wall clock. */
export interface Timings {
  /** Decoding, resampling and normalising the image. */
  readonly image: number;
  /** The forward pass of the unmasked image, with the activation maps' ranges. */
  readonly forward: number;
  /** All masked and head-only passes, and the baseline's; 0 for methods without. */
  readonly masks: number;
  /** The backward pass; 0 for methods without. */
  readonly backward: number;
  /** Weights, weighted sum, upsampling, normalisation. */
  readonly map: number;
  readonly total: number;
}

export type { AdapterFacts };
