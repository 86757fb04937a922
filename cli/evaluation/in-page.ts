/** Runs in headless Chrome: explains and measures one image by one method at a time. */

import { pearson } from '../../src/evaluation/index';
import { METHODS } from '../../src/explain/methods/registry';
import { type Explainer, type Explanation, type Passes, ScoreCamError } from '../../src/index';
import { overlayOf } from '../picture';
import { leavesScores, takesScores } from './reuse';
import type { MethodSpec } from './specs';
import { type Taken, takenSubject } from './subject';
import type { Asked, EvaluationJob, PicturedRow, Row } from './types';

/** Explains the image taken by one method, for every class asked, and measures the maps. */
export async function evaluate(explainer: Explainer, job: EvaluationJob): Promise<PicturedRow[]> {
  const taken = takenSubject();
  const { name: image, asked } = taken;
  const { spec, metrics, steps, pictures } = job;
  const rowOf = ({ index, label }: Asked): Row => ({
    image,
    class: index,
    label,
    method: spec.name,
  });
  let explanations: Explanation[];
  try {
    explanations = await explainAll(explainer, taken, spec);
  } catch (error) {
    // That a method is not defined for this network is part of the answer.
    if (!(error instanceof ScoreCamError && METHODS[spec.method].check)) throw error;
    return asked.map((one) => ({ ...rowOf(one), refused: error.message }));
  }
  const rows: PicturedRow[] = [];
  for (const [i, one] of asked.entries()) {
    const explanation = explanations[i] as Explanation;
    const { box, otherBoxes } = one;
    const own = box ? metrics : metrics.filter((metric) => metric !== 'pointing');
    const measures = await explainer.measure(explanation, { metrics: own, steps, box, otherBoxes });
    const { timings } = explanation;
    const reference = leavesScores(spec) ? undefined : taken.scored?.[i];
    const agreement = reference && pearson(explanation.map.data, reference.map.data);
    const passes = i === 0 ? wholePasses(explanation, taken) : explanation.passes;
    rows.push({
      ...rowOf(one),
      milliseconds: i === 0 ? timings.total : timings.map + timings.backward,
      first: i === 0,
      passes,
      measures,
      ...(agreement === undefined ? {} : { agreement }),
      ...(pictures ? { picture: await overlayOf(explanation) } : {}),
    });
  }
  return rows;
}

/** A reweighed explanation rests on the masked passes of the one before it. */
function wholePasses({ passes, weighting }: Explanation, { scored }: Taken): Passes {
  const shared = weighting === 'increase' ? scored?.[0]?.passes.forward : undefined;
  return shared === undefined ? passes : { ...passes, forward: passes.forward + shared };
}

/** One explanation a class asked, all of one run. */
export async function explainAll(
  explainer: Explainer,
  subject: Taken,
  spec: MethodSpec,
): Promise<Explanation[]> {
  const { method, options } = spec;
  const { image, asked, scored } = subject;
  const [first, ...others] = asked as [Asked, ...Asked[]];
  if (takesScores(spec) && scored) {
    const reweighed: Explanation[] = [];
    for (const one of scored) reweighed.push(await one.withWeighting('increase'));
    return reweighed;
  }
  const main = await explainer.explain(image, { ...options, method, class: first.index });
  const explanations = [main];
  for (const { index } of others) explanations.push(await main.forClass(index));
  if (leavesScores(spec)) subject.scored = explanations;
  return explanations;
}
