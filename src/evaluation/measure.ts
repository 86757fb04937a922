import { baselineInput } from '../explain/baseline';
import { checked, checkOption } from '../explain/check';
import { normalise } from '../explain/image';
import { uniform } from '../explain/random';
import type { SaliencyMap } from '../explain/types';
import { FinishedScores } from '../runtime/finished';
import { once } from '../runtime/once';
import { checkSubject, fail, rulesOf } from './checks';
import { IMPUTATION_NOISE, imputed } from './imputation';
import {
  drawSquares,
  infidelityOf,
  RADIUS,
  relativeChange,
  SAMPLES,
  SQUARES,
  shaken,
} from './infidelity';
import {
  adccOf,
  arccOf,
  drop,
  energyIn,
  holds,
  muteHalf,
  pearson,
  pointsInto,
  rankIn,
  sparsityOf,
} from './metrics';
import { holeOf, PERCENTILES, type Removal, removals, roadOf } from './road';
import { GROUPS, sacoOf, salienceGroups, salienceOf, withoutGroup } from './saco';
import { type Bench, Scorer } from './scorer';
import {
  type Box,
  MAKES_MAPS,
  METRICS,
  type Measurable,
  type MeasureOptions,
  type Measures,
  type Metric,
} from './types';

/**
 * Measures one map. Masks and curves act on the normalised image, as Score-CAM's masks do: what is taken away
 * becomes the data set's mean colour.
 * @throws ScoreCamError `option` for a map of another size, an unknown metric, or a metric that lacks its box; `image`
 * for an image that is not of RGBA bytes
 */
export function measure(
  bench: Bench,
  subject: Measurable,
  given: MeasureOptions,
): Promise<Measures> {
  const finished = new FinishedScores();
  return bench.runner.lasting(() => {
    finished.rewind();
    return measureOnce(bench, subject, given, finished);
  });
}

async function measureOnce(
  bench: Bench,
  subject: Measurable,
  given: MeasureOptions,
  finished: FinishedScores,
): Promise<Measures> {
  const options = await checked(rulesOf(bench), given);
  const { box, otherBoxes, steps = 100, signal } = options;
  const wants = await wantedMetrics(options);
  signal?.throwIfAborted();
  await checkSubject(bench, subject);
  checkGiven(wants, subject, box);
  const { map } = subject;
  const image = normalise(subject.image, bench.manifest) as Float32Array<ArrayBuffer>;
  const scorer = new Scorer(bench, subject.class.index, finished, signal);
  const needsMasked = wants.has('confidence') || wants.has('adcc');
  const masks = [
    ...(needsMasked ? [map.data] : []),
    ...(wants.has('confidence') ? [muteHalf(map.data)] : []),
  ];
  const { probability, masked: scores } = await scorer.masked(
    image,
    masks,
    subject.class.probability,
  );
  const [masked, muted] = scores;

  const pointing = wants.has('pointing') && box;
  const asks = (...metrics: Metric[]): boolean => metrics.some((one) => wants.has(one));
  /** What an even map cannot be asked. */
  const asksOfShape = (...metrics: Metric[]): boolean => !map.flat && asks(...metrics);
  const mean = new Float32Array(image.length);
  const again = new Again(bench, finished, signal);
  const second = asksOfShape('adcc', 'arcc') ? await again.mapOf(under(image, map)) : undefined;
  const coherency = second && coherencyOf(map, second);
  const complexity = map.data.reduce((total, value) => total + value, 0) / map.data.length;
  const blurred = (): Float32Array => baselineInput('blurred', subject.image, bench.manifest);
  const probe: Probe = { map, image, probability, scorer, again, options };
  const road = asksOfShape('road', 'arcc') ? await roadOfMap(probe) : undefined;
  const measures: { [Key in keyof Measures]: Measures[Key] | undefined } = {
    flat: map.flat,
    probability,
    masked: wants.has('confidence') ? masked : undefined,
    muted: wants.has('confidence') ? muted : undefined,
    insertion: asksOfShape('insertion')
      ? await scorer.curve(map, image, blurred() as Float32Array<ArrayBuffer>, steps)
      : undefined,
    deletion: asksOfShape('deletion') ? await scorer.curve(map, mean, image, steps) : undefined,
    coherency,
    complexity: asks('adcc', 'arcc') ? complexity : undefined,
    adcc:
      wants.has('adcc') && coherency !== undefined
        ? adccOf(coherency, complexity, drop(probability, masked as number))
        : undefined,
    road,
    arcc:
      wants.has('arcc') && coherency !== undefined && road
        ? arccOf(coherency, complexity, road.combined)
        : undefined,
    saco: asksOfShape('saco') ? await sacoOfMap(probe) : undefined,
    infidelity: asksOfShape('infidelity') ? await infidelityOfMap(probe) : undefined,
    sensitivity: asksOfShape('sensitivity') ? await sensitivityOfMap(probe) : undefined,
    sparsity: wants.has('sparsity') ? sparsityOf(map.data) : undefined,
    energy: pointing ? energyIn(map, [pointing]) : undefined,
    energyElsewhere: pointing && otherBoxes ? energyIn(map, otherBoxes) : undefined,
    rank: pointing ? rankIn(map, pointing) : undefined,
    hit: pointing ? pointsInto(map, pointing) : undefined,
    passes: scorer.passes + again.passes,
  };
  signal?.throwIfAborted();
  return Object.fromEntries(
    Object.entries(measures).filter(([, value]) => value !== undefined),
  ) as unknown as Measures;
}

/** @throws ScoreCamError `option` for one that there is not */
async function wantedMetrics({ metrics, box }: MeasureOptions): Promise<ReadonlySet<Metric>> {
  const asked = metrics ?? ['confidence', 'sparsity', ...(box ? ['pointing' as const] : [])];
  for (const metric of asked) await checkOption('metric', { names: METRICS }, metric);
  return new Set(asked);
}

function checkGiven(wants: ReadonlySet<Metric>, subject: Measurable, box: Box | undefined): void {
  if (wants.has('pointing') && !box) {
    fail('The metric "pointing" needs the box of the object: give `box`.');
  }
  const remade = MAKES_MAPS.find((metric) => wants.has(metric));
  if (remade && !subject.options) {
    fail(
      `The metric "${remade}" makes the map anew for an altered image: give an Explanation, or \`options\` to make it by.`,
    );
  }
}

/** What the metrics of a map that is not flat go by. */
interface Probe {
  readonly map: SaliencyMap;
  /** [3, height, width], normalised. */
  readonly image: Float32Array<ArrayBuffer>;
  /** Of the whole image. */
  readonly probability: number;
  readonly scorer: Scorer;
  readonly again: Again;
  readonly options: MeasureOptions;
}

/** Maps by the same method, of altered images. */
class Again {
  passes = 0;
  private readonly bench: Bench;
  private readonly finished: FinishedScores;
  private readonly signal: AbortSignal | undefined;

  constructor(bench: Bench, finished: FinishedScores, signal: AbortSignal | undefined) {
    this.bench = bench;
    this.finished = finished;
    this.signal = signal;
  }

  async mapOf(input: Float32Array<ArrayBuffer>): Promise<SaliencyMap> {
    const { bench, finished, signal } = this;
    const { map, passes } = await once(finished, () => bench.again(input, signal));
    this.passes += passes;
    return map;
  }
}

async function roadOfMap({ map, image, probability, scorer, options }: Probe) {
  const { percentiles = PERCENTILES, noise = IMPUTATION_NOISE, seed = 0 } = options;
  const removed = removals(percentiles);
  const probabilities = await scorer.images(removed.length, (i) =>
    imputed(image, holeOf(map.data, removed[i] as Removal), map, { noise, seed }),
  );
  return roadOf(probability, percentiles, probabilities);
}

async function sacoOfMap({ map, image, probability, scorer, options }: Probe) {
  const { groups = GROUPS } = options;
  const groupOf = salienceGroups(map.data, groups);
  const left = await scorer.images(groups, (i) => withoutGroup(image, groupOf, i));
  const falls = left.map((one) => probability - one);
  return sacoOf(salienceOf(map.data, groupOf, groups), falls);
}

async function infidelityOfMap({ map, image, probability, scorer, options }: Probe) {
  const { squares = SQUARES, seed = 0 } = options;
  const { data, width, height } = map;
  const drawn = drawSquares(squares, width, height, seed);
  const kept = drawn.map((square) => data.map((_, i) => Number(!holds(square, width, i))));
  const { masked } = await scorer.masked(image, kept, probability);
  const sums = kept.map((mask) =>
    data.reduce((sum, value, i) => sum + (mask[i] === 0 ? value : 0), 0),
  );
  const falls = masked.map((one) => probability - one);
  return infidelityOf(sums, falls);
}

async function sensitivityOfMap({ map, image, again, options }: Probe) {
  const { samples = SAMPLES, radius = RADIUS, seed = 0 } = options;
  const next = uniform(seed);
  let most: number | undefined;
  for (let i = 0; i < samples; i++) {
    const other = await again.mapOf(shaken(image, radius, next));
    const change = relativeChange(map.data, other.data);
    if (change !== undefined) most = Math.max(most ?? 0, change);
  }
  return most;
}

/** The normalised image under its map. */
function under(image: Float32Array, map: SaliencyMap): Float32Array<ArrayBuffer> {
  const pixels = map.data.length;
  return Float32Array.from(image, (value, i) => value * (map.data[i % pixels] as number));
}

/** (rho + 1) / 2; a flat second map has nothing in common with the first: rho = 0. */
function coherencyOf(map: SaliencyMap, second: SaliencyMap): number {
  return ((pearson(map.data, second.data) ?? 0) + 1) / 2;
}
