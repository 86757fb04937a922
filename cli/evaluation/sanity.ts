/// Runs in headless Chrome: cascading randomisation of the image taken.
import { cascade, randomised, spearman } from '../../src/evaluation/index';
import { type Explainer, loadModel } from '../../src/index';
import { locateModel } from '../../src/model/model';
import { explainerOf } from './changed-model';
import { explainAll } from './in-page';
import type { MethodSpec } from './specs';
import { takenSubject } from './subject';
import type { SanityPoint } from './types';

/**
 * Cascading randomisation (Adebayo et al. 2018) on the image taken: each method's map for the first class asked
 * against that of the model with its last layers drawn anew, stage by stage.
 */
export async function sanity(
  explainer: Explainer,
  address: string,
  specs: readonly MethodSpec[],
  onStage: (done: number, total: number) => void,
): Promise<SanityPoint[]> {
  const subject = takenSubject();
  const stages = cascade((await locateModel(address)).network);
  const mapsOf = async (one: Explainer): Promise<(Float32Array | undefined)[]> => {
    const maps: (Float32Array | undefined)[] = [];
    for (const spec of specs) {
      const [explanation] = await explainAll(one, { ...subject, scored: [] }, spec);
      maps.push(explanation?.map.flat ? undefined : explanation?.map.data);
    }
    return maps;
  };
  onStage(0, stages.length);
  const original = await mapsOf(explainer);
  const points: SanityPoint[] = [];
  for (const [stage, layers] of stages.entries()) {
    // Opened for each stage: an explainer reads its weights once.
    const changed = await explainerOf(await loadModel(address), (model) =>
      randomised(model, layers, 1 + stage),
    );
    try {
      const maps = await mapsOf(changed);
      specs.forEach(({ name }, i) => {
        const [a, b] = [original[i], maps[i]];
        const correlation = a && b ? (spearman(a, b) ?? null) : null;
        points.push({
          method: name,
          layer: layers.at(-1) as string,
          layers: layers.length,
          correlation,
        });
      });
    } finally {
      changed.dispose();
    }
    onStage(stage + 1, stages.length);
  }
  return points;
}
