/// Runs in headless Chrome: how gradients change as an image grows out of the mean colour.
import { imageData } from '../../src/explain/pixels';
import type { Explainer } from '../../src/index';
import type { SaturationPoint } from './argument';

const STRENGTHS = 10;

/** Probability and gradients of a class on the way from the mean colour to the image. */
export async function walk(
  explainer: Explainer,
  { data, width, height }: ImageData,
  index: number,
): Promise<SaturationPoint[]> {
  const { mean } = explainer.model.input;
  const points: SaturationPoint[] = [];
  for (let step = 0; step <= STRENGTHS; step++) {
    const t = step / STRENGTHS;
    const blended = data.map((value, i) => {
      const grey = 255 * (mean[i % 4] ?? 0);
      return i % 4 === 3 ? 255 : grey + t * (value - grey);
    });
    const image = imageData({ data: blended, width, height });
    const norms = { logit: 0, probability: 0 };
    let probability = 0;
    for (const of of ['logit', 'probability'] as const) {
      const one = await explainer.explain(image, { method: 'grad-cam', of, class: index });
      norms[of] = Math.hypot(...one.weights);
      probability = one.class.probability;
    }
    points.push({ t, probability, ofLogit: norms.logit, ofProbability: norms.probability });
  }
  return points;
}
