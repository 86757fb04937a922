/** How good a model of drawn scenes is, by our own WebGPU path; runs in a page. */

import { energyIn } from '../src/evaluation/index';
import { progressMeter, type Step } from '../src/explain/progress';
import type { Explainer, SaliencyMap } from '../src/index';
import { drawScene, type SceneObject } from '../weights/scenes';
import { imageOf } from './scene-image';

export interface CheckOptions {
  /** One-object scenes to classify. */
  readonly scenes: number;
  /** Two-object scenes in which each object is asked for in turn. */
  readonly pairs: number;
  /** Scene i has seed `seedStart + i`; the model has never seen seeds from TRAINING_SEEDS_END on. */
  readonly seedStart: number;
  readonly onProgress?: ((step: Step) => void) | undefined;
}

export interface CheckResult {
  readonly scenes: {
    readonly count: number;
    readonly correct: number;
    readonly wrong: readonly Miss[];
  };
  readonly pairs: readonly PointingResult[];
  /** Share of one-object scenes whose object came out first. */
  readonly accuracy: number;
  /** Mean share of a map's energy inside the asked object's box. */
  readonly energyInside: number;
}

export interface Miss {
  readonly seed: number;
  readonly label: string;
  readonly answer: string;
}

export interface PointingResult {
  readonly seed: number;
  readonly label: string;
  readonly share: number;
}

/** The energy-based pointing game; a flat map has no energy. */
function energyInside(map: SaliencyMap, { box }: SceneObject): number {
  return energyIn(map, [box]) ?? 0;
}

/** Top-1 accuracy on unseen one-object scenes and the pointing game on unseen two-object scenes. */
export async function checkModel(
  explainer: Explainer,
  options: CheckOptions,
): Promise<CheckResult> {
  const { scenes, pairs, seedStart, onProgress } = options;
  const { width } = explainer.model.input;
  const seeds = (count: number): number[] => Array.from({ length: count }, (_, i) => seedStart + i);

  const wrong: Miss[] = [];
  let report = progressMeter('scenes', onProgress);
  for (const [i, seed] of seeds(scenes).entries()) {
    const scene = drawScene({ seed, objects: 1, size: width });
    const label = (scene.objects[0] as SceneObject).label;
    const answer = (await explainer.classify(imageOf(scene)))[0]?.label ?? '';
    if (answer !== label) wrong.push({ seed, label, answer });
    report(i + 1, scenes);
  }

  const pointing: PointingResult[] = [];
  report = progressMeter('pairs', onProgress);
  for (const [i, seed] of seeds(pairs).entries()) {
    const scene = drawScene({ seed, objects: 2, size: width });
    const [first, second] = scene.objects as [SceneObject, SceneObject];
    const explanation = await explainer.explain(imageOf(scene), { class: first.label });
    const other = await explanation.forClass(second.label);
    pointing.push(
      { seed, label: first.label, share: energyInside(explanation.map, first) },
      { seed, label: second.label, share: energyInside(other.map, second) },
    );
    report(i + 1, pairs);
  }

  const correct = scenes - wrong.length;
  return {
    scenes: { count: scenes, correct, wrong },
    pairs: pointing,
    accuracy: correct / scenes,
    energyInside: pointing.reduce((sum, { share }) => sum + share, 0) / pointing.length,
  };
}
