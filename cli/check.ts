/** How good a model of drawn scenes is, by our own WebGPU path; runs in a page. */
import type { Explainer, SaliencyMap } from '../src/index';
import { drawScene, type Scene, type SceneObject } from '../weights/scenes';

export interface CheckOptions {
  /** One-object scenes to classify. */
  readonly scenes: number;
  /** Two-object scenes in which each object is asked for in turn. */
  readonly pairs: number;
  /** Scene i has seed `seedStart + i`; the model has never seen seeds from TRAINING_SEEDS_END on. */
  readonly seedStart: number;
  readonly onProgress?: ((step: CheckStep) => void) | undefined;
}

export interface CheckStep {
  readonly phase: 'scenes' | 'pairs';
  readonly done: number;
  readonly total: number;
  readonly rate: number;
  readonly secondsLeft: number | undefined;
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

/** Share of the map's energy inside a box: the energy-based pointing game. A flat map has none. */
export function energyInside(map: SaliencyMap, box: SceneObject['box']): number {
  let inside = 0;
  let all = 0;
  map.data.forEach((value, i) => {
    const x = i % map.width;
    const y = Math.floor(i / map.width);
    all += value;
    if (x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height)
      inside += value;
  });
  return all > 0 ? inside / all : 0;
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
  let report = stepper('scenes', scenes, onProgress);
  for (const seed of seeds(scenes)) {
    const scene = drawScene({ seed, objects: 1, size: width });
    const label = (scene.objects[0] as SceneObject).label;
    const answer = (await explainer.classify(imageOf(scene)))[0]?.label ?? '';
    if (answer !== label) wrong.push({ seed, label, answer });
    report();
  }

  const pointing: PointingResult[] = [];
  report = stepper('pairs', pairs, onProgress);
  for (const seed of seeds(pairs)) {
    const scene = drawScene({ seed, objects: 2, size: width });
    const [first, second] = scene.objects as [SceneObject, SceneObject];
    const explanation = await explainer.explain(imageOf(scene), { class: first.label });
    const other = await explanation.forClass(second.label);
    pointing.push(
      { seed, label: first.label, share: energyInside(explanation.map, first.box) },
      { seed, label: second.label, share: energyInside(other.map, second.box) },
    );
    report();
  }

  const correct = scenes - wrong.length;
  return {
    scenes: { count: scenes, correct, wrong },
    pairs: pointing,
    accuracy: correct / scenes,
    energyInside: pointing.reduce((sum, { share }) => sum + share, 0) / pointing.length,
  };
}

function imageOf({ width, height, data }: Scene): ImageData {
  return new ImageData(data as Uint8ClampedArray<ArrayBuffer>, width, height);
}

function stepper(
  phase: CheckStep['phase'],
  total: number,
  onProgress: CheckOptions['onProgress'],
): () => void {
  const start = performance.now();
  let done = 0;
  return () => {
    done++;
    const rate = (1000 * done) / (performance.now() - start);
    onProgress?.({ phase, done, total, rate, secondsLeft: (total - done) / rate });
  };
}
