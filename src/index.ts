/**
 * score-cam-webgpu: where did the network look? Score-CAM and its relatives on hand-written WebGPU
 * compute kernels.
 *
 *   const explainer = await createExplainer({ model: 'weights/scenes-vgg16/manifest.json' });
 *   const explanation = await explainer.explain(image);
 *   await explanation.draw(canvas);
 *
 * @module
 */

export { ScoreCamError, type ScoreCamErrorCode } from './errors';
export type {
  Box,
  Curve,
  Measurable,
  MeasureOptions,
  Measures,
  Metric,
} from './evaluation/types';
export type { ExplainOptions } from './explain/explain-options';
export type { DrawOptions, Explanation } from './explain/explanation';
export {
  METHODS,
  type MethodOption,
  NUMBERS,
  type NumberOption,
} from './explain/method-options';
export type {
  Baseline,
  ChannelCounts,
  ClassScore,
  ExplainerOptions,
  GradientOf,
  ImageSource,
  LayerResult,
  Method,
  MethodOptions,
  Passes,
  Progress,
  SaliencyMap,
  Timings,
  WeightFacts,
  Weighting,
} from './explain/types';
export { createExplainer, type Explainer, type ModelFacts } from './explainer';
export type { AdapterFacts } from './gpu/gpu';
export { browserCache, MemoryCache, type WeightCache } from './model/keep/cache';
export { type Manifest, parseManifest } from './model/manifest';
export {
  loadModel,
  type Model,
  type OpenOptions,
  openModel,
  type WeightsLocation,
} from './model/model';
export { loadPreset, PRESETS } from './model/presets';
export { type VggOptions, vggManifest } from './model/vgg';
export type { TensorFacts, WeightSource } from './model/weight-source';
export type { Precision, WeightDtype } from './numbers/dtypes';
export type { TensorDtype } from './numbers/tensor_dtypes';
export type { ConvTuning, TunedLayer } from './runtime/tuning';
export { browserTuningCache, type TuningCache } from './runtime/tuning-cache';
