/**
 * score-cam-webgpu/evaluation: what goes beyond `Explainer.measure`, for comparing methods over many images
 * (docs/metrics.md, docs/evaluation.md).
 *
 * @module
 */

export {
  drop,
  energyIn,
  type Figures,
  figuresOf,
  pearson,
  rankIn,
  type Summary,
  spearman,
  summarise,
  win,
} from './metrics';
export { cascade, randomised } from './randomise';
export { METRICS } from './types';
