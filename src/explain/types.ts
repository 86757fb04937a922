import type { AdapterFacts } from '../gpu/facts';
import type { Description } from '../model/description';
import type { WeightCache } from '../model/keep/cache';
import type { Model, ModelLocation, WeightsLocation } from '../model/model';
import type { Precision, WeightDtype } from '../numbers/dtypes';
import type { ConvTuning } from '../plan/tuning-types';
import type { TuningCache } from '../runtime/tuning-cache';
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

export interface ExplainerOptions extends Callbacks, Description {
  /**
   * A preset such as `vgg16` ({@link PRESETS}), or a network's file by its address or itself: a model manifest
   * (docs/model-format.md), an ONNX file, a TensorFlow.js model.json (several Files with its shards). `vgg16-seeded-N` is a
   * generated full-size VGG-16. Or a loaded {@link Model}.
   */
  readonly model: ModelLocation | Model;
  /**
   * Where the weights are, if not where the model says: an address, a File, or several Files that belong
   * together. safetensors (also sharded), PyTorch .pth, or a TensorFlow.js model.json.
   */
  readonly weights?: WeightsLocation | undefined;
  /**
   * Form of the weights on the GPU: `f32`, `f16` (half the memory) or `int8` (a quarter: fully connected
   * layers in int8, convolutions in f16). Default: what the manifest says, else `f32`.
   */
  readonly dtype?: WeightDtype | undefined;
  /**
   * Gives another device where `device` was lost. Without it a device of the caller's is never replaced; one that the
   * library has requested itself always is.
   */
  readonly getDevice?: (() => Promise<GPUDevice>) | undefined;
  /**
   * Hears that a device was lost, with the reason in words. What runs goes on by itself on a new one, from the masked
   * passes that are through, at most twice; the weights are loaded again.
   */
  readonly onDeviceLost?: ((reason: string) => void) | undefined;
  /**
   * Keeps the weights, in the form asked for, for the next visit: {@link browserCache}, or the page's own.
   * Default: nothing is kept.
   */
  readonly cache?: WeightCache | undefined;
  /**
   * Milliseconds to wait before each further try when a server fails or the connection breaks off, for as
   * many tries; a byte that comes starts the list over. Default: five tries, from 0.5 to 8 s.
   */
  readonly retryDelays?: readonly number[] | undefined;
  /** Bring your own device; it is never destroyed here. */
  readonly device?: GPUDevice | undefined;
  /**
   * What Winograd's convolutions store between their kernels: `f32`, or `f16`, which halves the bytes that go
   * through memory and errs by 0.16 % of a layer's outputs (root mean square; f32 errs by 0.0002 %). Sums,
   * activations and everything else are f32. Needs a GPU with `shader-f16`. Default `f32`.
   */
  readonly precision?: Precision | undefined;
  /**
   * Measures on this GPU which way to compute each convolution, before the weights are loaded: seconds, the first
   * time. Default: chosen by shape and adapter.
   */
  readonly tune?: boolean | undefined;
  /**
   * A tuning from an earlier {@link Explainer.tuning}. One of another adapter, precision or version is not used;
   * with `tune`, what it lacks is measured.
   */
  readonly tuning?: ConvTuning | undefined;
  /** Keeps what `tune` measures for the next visit. Default: {@link browserTuningCache}; `false` keeps nothing. */
  readonly tuningCache?: TuningCache | false | undefined;
  /**
   * `true`: all work is done in a Web Worker, so that the page stays responsive. The worker is the one-file build,
   * score-cam-webgpu.js, beside this code; a page whose bundler does not bring it along (esbuild) gives the address of a
   * copy, of the page's own origin. A `device` of the page's cannot go there. Default: `false`, on the caller's thread.
   */
  readonly worker?: boolean | string | URL | undefined;
  /** Bytes of GPU memory for activations and features, weights not counted. Default 256 MiB. */
  readonly memoryBudget?: number | undefined;
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
