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

import type { MethodFacts } from './explain/methods/method';
import { METHODS as DESCRIPTIONS, type Method } from './explain/methods/registry';

/** Every method by its name: what it is, takes and costs, as docs/methods.md lists them. */
export const METHODS: Readonly<Record<Method, MethodFacts>> = DESCRIPTIONS;

export { ScoreCamError, type ScoreCamErrorCode } from './errors';
export type {
  Box,
  Curve,
  Measurable,
  MeasureOptions,
  Measures,
  Metric,
  Road,
} from './evaluation/types';
export type { DrawOptions } from './explain/draw';
export type { ExplainOptions } from './explain/explain-options';
export type { ExplainerOptions } from './explain/explainer-options';
export type { Explanation } from './explain/explanation';
export type { CostOf, MethodFacts } from './explain/methods/method';
export type { MethodOptions } from './explain/methods/method-options';
export {
  type Baseline,
  type GradientOf,
  type MethodOption,
  type NumberOption,
  OPTIONS,
  type OptionValues,
  type RivalWeights,
  type Weighting,
} from './explain/methods/options';
export type { Method } from './explain/methods/registry';
export type { Pixels } from './explain/pixels';
export type {
  ChannelCounts,
  ClassScore,
  ImageSource,
  LayerResult,
  Passes,
  Progress,
  SaliencyMap,
  Timings,
  WeightFacts,
} from './explain/types';
export { createExplainer } from './explainer';
export type { Explainer, ModelFacts } from './explainer-api';
export { type AdapterFacts, adapterName } from './gpu/facts';
export type { Description } from './model/description';
export { browserCache, MemoryCache, type WeightCache } from './model/keep/cache';
export { type Manifest, parseManifest } from './model/manifest';
export {
  loadModel,
  type Model,
  type ModelLocation,
  type OpenOptions,
  openModel,
  type WeightsLocation,
} from './model/model';
export { loadPreset, PRESETS } from './model/presets';
export { type VggOptions, vggManifest } from './model/vgg';
export type { TensorFacts, WeightSource } from './model/weight-source';
export type { Precision, WeightDtype } from './numbers/dtypes';
export type { TensorDtype } from './numbers/tensor_dtypes';
export type { ConvTuning, TunedLayer } from './plan/tuning-types';
export type { LayerMagnitude } from './runtime/scores';
export { browserTuningCache, type TuningCache } from './runtime/tuning-cache';
