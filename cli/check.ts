/** How good a model of drawn scenes is, by our own WebGPU path; runs in a page. */

import { drop } from '../src/evaluation/index';
import type { Measures } from '../src/evaluation/types';
import { progressMeter, type Step } from '../src/explain/progress';
import type { Explainer } from '../src/index';
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
  readonly answers: readonly Answer[];
  readonly maps: readonly MapFigures[];
}

/** What the model says of a scene with one object. */
export interface Answer {
  readonly seed: number;
  readonly label: string;
  readonly answer: string;
  /** Of the answer. */
  readonly probability: number;
}

/** Of the map of one object in a scene with two. Shares are 0 for a flat map, which has no energy. */
export interface MapFigures {
  readonly seed: number;
  readonly label: string;
  /** Share of the energy inside the object's box. */
  readonly inside: number;
  /** Share of the energy inside the other object's box. */
  readonly elsewhere: number;
  /** Whether the maximum lies in the box. */
  readonly hit: boolean;
  /** Share by which the probability falls under the map. */
  readonly drop: number;
  /** Whether it rises. */
  readonly increased: boolean;
}

/** Answers on unseen one-object scenes; energy, maximum and drop on unseen two-object scenes. */
export async function checkModel(
  explainer: Explainer,
  options: CheckOptions,
): Promise<CheckResult> {
  const { scenes, pairs, seedStart, onProgress } = options;
  const { width } = explainer.model.input;
  const seeds = (count: number): number[] => Array.from({ length: count }, (_, i) => seedStart + i);

  const answers: Answer[] = [];
  let report = progressMeter('scenes', onProgress);
  for (const [i, seed] of seeds(scenes).entries()) {
    const scene = drawScene({ seed, objects: 1, size: width });
    const { label } = scene.objects[0] as SceneObject;
    const [first] = await explainer.classify(imageOf(scene));
    answers.push({
      seed,
      label,
      answer: first?.label ?? '',
      probability: first?.probability ?? 0,
    });
    report(i + 1, scenes);
  }

  const maps: MapFigures[] = [];
  report = progressMeter('pairs', onProgress);
  for (const [i, seed] of seeds(pairs).entries()) {
    const scene = drawScene({ seed, objects: 2, size: width });
    const [first, second] = scene.objects as [SceneObject, SceneObject];
    const explanation = await explainer.explain(imageOf(scene), { class: first.label });
    const other = await explanation.forClass(second.label);
    for (const [map, own, beside] of [
      [explanation, first, second],
      [other, second, first],
    ] as const) {
      const measures = await explainer.measure(map, {
        metrics: ['confidence', 'pointing'],
        box: own.box,
        otherBoxes: [beside.box],
      });
      maps.push({ seed, label: own.label, ...figuresOf(measures) });
    }
    report(i + 1, pairs);
  }
  return { answers, maps };
}

function figuresOf(measures: Measures): Omit<MapFigures, 'seed' | 'label'> {
  const { energy = 0, energyElsewhere = 0, hit = false, probability, masked = 0 } = measures;
  return {
    inside: energy,
    elsewhere: energyElsewhere,
    hit,
    drop: drop(probability, masked),
    increased: masked > probability,
  };
}
