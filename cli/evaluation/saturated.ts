/// Runs in headless Chrome: what is left of the gradients on a scene that the network is sure of.
import { pearson } from '../../src/evaluation/index';
import type { Explainer } from '../../src/index';
import { saturationOf } from './argument';
import type { SaturatedScene } from './saturation-report';
import { takenSubject } from './subject';
import type { Asked } from './types';
import { walk } from './walk';

/** Of the first class asked of the image taken. */
export async function saturated(explainer: Explainer): Promise<SaturatedScene> {
  const { image, name, asked } = takenSubject();
  const { index, label } = asked[0] as Asked;
  const gradCam = (of: 'logit' | 'probability') =>
    explainer.explain(image, { method: 'grad-cam', of, class: index });
  const ofLogit = await gradCam('logit');
  const ofProbability = await gradCam('probability');
  const points = await walk(explainer, ofLogit.image, index);
  const { end, logitLeft, probabilityLeft, holds } = saturationOf(points);
  const score = await explainer.explain(image, { weighting: 'increase', class: index });
  return {
    image: name,
    label,
    probability: end.probability,
    logitLeft,
    probabilityLeft,
    saturates: holds,
    largestIncrease: score.weights.reduce((a, b) => Math.max(a, b)),
    flat: ofProbability.map.flat,
    sameMap: pearson(ofLogit.map.data, ofProbability.map.data) ?? null,
  };
}
