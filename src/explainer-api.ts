import type { Measurable, MeasureOptions, Measures } from './evaluation/types';
import type { ExplainOptions } from './explain/explain-options';
import type { Explanation } from './explain/explanation';
import type { Method } from './explain/methods/registry';
import type {
  AdapterFacts,
  Callbacks,
  ClassScore,
  ImageSource,
  WeightFacts,
} from './explain/types';
import type { Manifest } from './model/manifest';
import type { ConvTuning } from './plan/tuning-types';

/** What a page may want to know of the loaded model. */
export interface ModelFacts {
  readonly name: string;
  readonly description: string;
  readonly licence: string;
  readonly labels: readonly string[];
  readonly input: Manifest['input'];
  readonly targetLayer: string;
  readonly weights: WeightFacts;
  /** Layers that can be explained, with the size of their maps. */
  readonly layers: readonly {
    readonly name: string;
    readonly channels: number;
    readonly height: number;
    readonly width: number;
  }[];
  /** Methods that are defined at the target layer. */
  readonly methods: readonly Method[];
}

/** A model on a GPU, ready to classify and explain images. Made by `createExplainer`, here or in a worker. */
export interface Explainer {
  readonly model: ModelFacts;

  readonly adapter: AdapterFacts;

  /** How convolutions are computed, as measured on this GPU; undefined if by shape and adapter alone. */
  readonly tuning: ConvTuning | undefined;

  /**
   * Resolves when the kernels that `prepare` asked for are compiled: from then on an explanation compiles none, or one where
   * masks reach nearly all of an image. Need not be waited for, and never rejects.
   */
  readonly prepared: Promise<void>;

  /** Bytes of GPU buffers now (of a worker: when it last answered) and at most so far, weights included. */
  readonly memory: { readonly bytes: number; readonly peakBytes: number };

  /** One forward pass: all classes, likeliest first. */
  classify(image: ImageSource, callbacks?: Callbacks): Promise<ClassScore[]>;

  /**
   * Explains one image by a method of docs/methods.md: a forward pass, then what the method needs. Score-CAM
   * runs a masked pass for every channel of the target layer whose upsampled map is not constant.
   * @throws ScoreCamError naming what is wrong and what would be right; the signal's reason on abort.
   */
  explain(source: ImageSource, options?: ExplainOptions): Promise<Explanation>;

  /**
   * Measures how good a map is: an explanation's, or one of your own (docs/metrics.md). What measures is fetched at
   * the first use.
   * @throws ScoreCamError `option` naming what is missing or does not fit
   */
  measure(subject: Measurable, options?: MeasureOptions): Promise<Measures>;

  /** Frees all GPU memory, and the device unless the caller brought it. Explanations cannot draw afterwards. */
  dispose(): void;
}
