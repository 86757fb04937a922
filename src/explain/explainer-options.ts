import type { Description } from '../model/description';
import type { WeightCache } from '../model/keep/cache';
import type { Model, ModelLocation, WeightsLocation } from '../model/model';
import type { Precision, WeightDtype } from '../numbers/dtypes';
import type { ConvTuning } from '../plan/tuning-types';
import type { TuningCache } from '../runtime/tuning-cache';
import type { Method } from './methods/registry';
import type { Callbacks } from './types';

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
   * activations and everything else are f32. `f16-products` multiplies in f16, too, and adds up 16 products in it, where
   * F(2x2) in one kernel can be used, and errs by 0.1 % there; elsewhere it is `f16`. For GPUs that compute two numbers of
   * f16 at once. Both need a GPU with `shader-f16`. Default `f32`.
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
   * A method whose kernels are compiled while the weights are on their way, so that the first explanation by it begins at
   * once. Default: each kernel is compiled when it is first run.
   */
  readonly prepare?: Method | undefined;
  /**
   * `true`: all work is done in a Web Worker, so that the page stays responsive. The worker is the one-file build,
   * score-cam-webgpu.js, beside this code; a page whose bundler does not bring it along (esbuild) gives the address of a
   * copy, of the page's own origin. A `device` of the page's cannot go there. Default: `false`, on the caller's thread.
   */
  readonly worker?: boolean | string | URL | undefined;
  /** Bytes of GPU memory for activations and features, weights not counted. Default 256 MiB. */
  readonly memoryBudget?: number | undefined;
}
