/// Runs in headless Chrome: everything that the argument rests on.
import { energyIn } from '../../src/evaluation/index';
import type { Explainer, Explanation, Model } from '../../src/index';
import type { Argument, Discrimination } from './argument';
import { camOf } from './cam-agreement';
import { takenSubject } from './subject';
import type { Asked } from './types';
import { walk } from './walk';

/**
 * Everything that the argument rests on, for the first class asked of the image taken.
 * @param load opens the explainer's model again, to give it another head
 * @param onPart hears how many of its parts are done
 */
export async function argue(
  explainer: Explainer,
  wanted: number | undefined,
  load: () => Promise<Model>,
  onPart: (done: number, total: number) => void = () => {},
): Promise<Argument> {
  const { image, name, asked } = takenSubject();
  const index = wanted ?? (asked[0] as Asked).index;
  const parts = 5;
  onPart(0, parts);
  const grad = await explainer.explain(image, { method: 'grad-cam', class: index });
  onPart(1, parts);
  const score = await explainer.explain(image, { weighting: 'increase', class: index });
  onPart(2, parts);
  const skipped = new Set(score.constantChannels);
  const maps = Array.from(grad.weights, (gradient, channel) => ({
    channel,
    gradient,
    increase: score.weights[channel] as number,
  })).filter(({ channel }) => !skipped.has(channel));
  const saturation = await walk(explainer, grad.image, index);
  onPart(3, parts);
  const cam = await camOf(explainer, grad, image, load);
  onPart(4, parts);
  const discrimination = await discriminate([score, grad], asked);
  onPart(5, parts);
  return {
    image: name,
    model: explainer.model.name,
    label: grad.class.label,
    probability: grad.class.probability,
    maps,
    saturation,
    cam,
    discrimination,
  };
}

async function discriminate(
  explanations: readonly Explanation[],
  asked: readonly Asked[],
): Promise<Discrimination[]> {
  const found: Discrimination[] = [];
  for (const explanation of explanations) {
    for (const { index, label, box, otherBoxes } of asked) {
      if (!box || otherBoxes.length === 0) continue;
      const { map, method } = await explanation.forClass(index);
      const [own, other] = [energyIn(map, [box]), energyIn(map, otherBoxes)];
      if (own !== undefined && other !== undefined) found.push({ method, label, own, other });
    }
  }
  return found;
}
