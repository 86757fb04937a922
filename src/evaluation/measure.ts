import { ScoreCamError } from '../errors';
import { baselineInput } from '../explain/baseline';
import { checked, checkOption } from '../explain/check';
import { normalise } from '../explain/image';
import { CALLBACKS } from '../explain/option-rules';
import { isPixels, type Pixels } from '../explain/pixels';
import { allowed, shown } from '../explain/refusals';
import { all, OBJECT, type Rules } from '../explain/rules';
import type { SaliencyMap } from '../explain/types';
import { Arena } from '../gpu/arena';
import { applyMask } from '../kernels/inputs/apply_mask';
import { revealPixels } from '../kernels/inputs/reveal_pixels';
import type { Manifest } from '../model/manifest';
import { FinishedScores } from '../runtime/finished';
import { once } from '../runtime/once';
import type { Runner } from '../runtime/runner';
import { type Fill, scoresAfter } from '../runtime/scores-after';
import {
  adccOf,
  areaUnder,
  drop,
  energyIn,
  muteHalf,
  pearson,
  pointsInto,
  ranksOf,
  sparsityOf,
} from './metrics';
import {
  type Box,
  type Curve,
  METRICS,
  type Measurable,
  type MeasureOptions,
  type Measures,
} from './types';

/** What measuring needs of an explainer. */
export interface Bench {
  readonly runner: Runner;
  readonly manifest: Manifest;
  readonly memoryBudget: number;
  /** The map of a normalised image [3, height, width] by the same method for the same class, and its passes. */
  again(
    input: Float32Array<ArrayBuffer>,
    signal: AbortSignal | undefined,
  ): Promise<{ map: SaliencyMap; passes: number }>;
}

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
  const asked = options.metrics ?? [
    'confidence',
    'sparsity',
    ...(box ? ['pointing' as const] : []),
  ];
  for (const metric of asked) await checkOption('metric', { names: METRICS }, metric);
  const wants = new Set(asked);
  signal?.throwIfAborted();
  await checkSubject(bench, subject);
  if (wants.has('pointing') && !box) {
    fail('The metric "pointing" needs the box of the object: give `box`.');
  }
  if (wants.has('adcc') && !subject.options) {
    fail(
      'The metric "adcc" makes the map anew for the masked image: give an Explanation, or `options` to make it by.',
    );
  }
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
  const curves = !map.flat;
  const mean = new Float32Array(image.length);
  const second =
    wants.has('adcc') && !map.flat
      ? await once(finished, () => bench.again(under(image, map), signal))
      : undefined;
  const coherency = second && coherencyOf(map, second.map);
  const complexity = map.data.reduce((total, value) => total + value, 0) / map.data.length;
  const blurred = (): Float32Array => baselineInput('blurred', subject.image, bench.manifest);
  const measures: { [Key in keyof Measures]: Measures[Key] | undefined } = {
    flat: map.flat,
    probability,
    masked: wants.has('confidence') ? masked : undefined,
    muted: wants.has('confidence') ? muted : undefined,
    insertion:
      wants.has('insertion') && curves
        ? await scorer.curve(map, image, blurred() as Float32Array<ArrayBuffer>, steps)
        : undefined,
    deletion:
      wants.has('deletion') && curves ? await scorer.curve(map, mean, image, steps) : undefined,
    coherency,
    complexity: wants.has('adcc') ? complexity : undefined,
    adcc:
      coherency === undefined
        ? undefined
        : adccOf(coherency, complexity, drop(probability, masked as number)),
    sparsity: wants.has('sparsity') ? sparsityOf(map.data) : undefined,
    energy: pointing ? energyIn(map, [pointing]) : undefined,
    energyElsewhere: pointing && otherBoxes ? energyIn(map, otherBoxes) : undefined,
    hit: pointing ? pointsInto(map, pointing) : undefined,
    passes: scorer.passes + (second?.passes ?? 0),
  };
  signal?.throwIfAborted();
  return Object.fromEntries(
    Object.entries(measures).filter(([, value]) => value !== undefined),
  ) as unknown as Measures;
}

function fail(message: string): never {
  throw new ScoreCamError('option', message);
}

function rulesOf({ runner }: Bench): Rules<MeasureOptions> {
  const { width, height } = runner.network.input;
  /** A part of it may lie outside, where the image was cropped; a number of pixels it must hold. */
  const isBox = (value: unknown): boolean => {
    const box = (value ?? {}) as Box;
    return (
      [box.x, box.y, box.width, box.height].every(Number.isFinite) &&
      box.width > 0 &&
      box.height > 0 &&
      box.x < width &&
      box.y < height &&
      box.x + box.width > 0 &&
      box.y + box.height > 0
    );
  };
  const kind = `{ x, y, width, height } in pixels, in part at least inside the ${width}x${height} of the network's input`;
  return {
    ...CALLBACKS,
    metrics: { kind: 'an array of metrics', is: Array.isArray },
    box: { kind, is: isBox },
    otherBoxes: { kind: `an array of boxes, each ${kind}`, is: all(isBox) },
    steps: { least: 1, most: Math.min(width * height, 10_000), whole: true },
  };
}

/** A map's values are quotients, which a GPU may round up: as much as this they may lie outside of 0 to 1. */
const ROUNDING = 1e-5;

/** @throws ScoreCamError `option`, or `image` for an image that is not of RGBA bytes */
async function checkSubject({ runner }: Bench, subject: Measurable): Promise<void> {
  await checkOption('What is to be measured', OBJECT, subject);
  const { map, image, class: own } = subject;
  await checkOption('map', OBJECT, map);
  await checkOption('class', OBJECT, own);
  const { input, labels } = runner.network;
  for (const [what, size] of Object.entries({ map, image: image ?? {} }) as [string, Pixels][]) {
    if (size.width === input.width && size.height === input.height) continue;
    fail(
      `The ${what} is ${size.width}x${size.height}, the network's input ${input.width}x${input.height}: ` +
        'give the map and the image at that size.',
    );
  }
  if (!isPixels(image)) (await import('../explain/decode')).refuse(image);
  checkValues(map);
  const { index, probability = 0 } = own;
  if (!(Number.isInteger(index) && index >= 0 && index < labels.length)) {
    fail(`There is no class ${shown(index)}: classes are numbered 0 to ${labels.length - 1}.`);
  }
  await checkOption('The probability of the class', SHARE, probability);
}

const SHARE = { least: 0, most: 1, whole: false };

function checkValues({ data, width, height }: SaliencyMap): void {
  const pixels = width * height;
  if (data?.[Symbol.toStringTag] !== 'Float32Array' || data.length !== pixels) {
    fail(
      `The data of the ${width}x${height} map is ${shown(data)}${data?.length === undefined ? '' : ` of length ${data.length}`}: give ` +
        `a Float32Array of ${pixels}.`,
    );
  }
  const bad = data.findIndex((value) => !(value >= -ROUNDING && value <= 1 + ROUNDING));
  if (bad >= 0) {
    fail(
      `The map is ${data[bad]} at pixel ${bad}, must be ${allowed(SHARE)} everywhere: min-max normalise it.`,
    );
  }
}

/** The class's probability for altered images. */
class Scorer {
  passes = 0;
  private readonly bench: Bench;
  private readonly classIndex: number;
  private readonly finished: FinishedScores;
  private readonly signal: AbortSignal | undefined;

  constructor(
    bench: Bench,
    classIndex: number,
    finished: FinishedScores,
    signal: AbortSignal | undefined,
  ) {
    this.bench = bench;
    this.classIndex = classIndex;
    this.finished = finished;
    this.signal = signal;
  }

  /** Of the whole image, and of the image under each mask [height, width]. */
  async masked(
    image: Float32Array<ArrayBuffer>,
    masks: readonly Float32Array[],
    known: number | undefined,
  ): Promise<{ probability: number; masked: number[] }> {
    const pixels = image.length / 3;
    const whole = known === undefined ? [new Float32Array(pixels).fill(1)] : [];
    const all = [...whole, ...masks];
    const { height, width } = this.bench.runner.network.input;
    const scores = await this.score(all.length, (arena) => {
      const input = arena.upload('image', image);
      return (first, batch, output, own) => {
        const data = new Float32Array(batch * pixels);
        for (let i = 0; i < batch; i++) data.set(all[first + i] as Float32Array, i * pixels);
        const shape = { label: 'masked images', channels: 3, height, width };
        return [
          applyMask({ ...shape, batch, image: input, masks: own.upload('masks', data), output }),
        ];
      };
    });
    const [probability = known as number] = scores.splice(0, whole.length);
    return { probability, masked: scores };
  }

  /** With more and more pixels of `over` in place of those of `under`, the most salient first. */
  async curve(
    map: SaliencyMap,
    over: Float32Array<ArrayBuffer>,
    below: Float32Array<ArrayBuffer>,
    steps: number,
  ): Promise<Curve> {
    const pixels = map.width * map.height;
    const probabilities = await this.score(steps + 1, (arena) => {
      const images = {
        over: arena.upload('over', over),
        under: arena.upload('under', below),
        ranks: arena.upload('ranks', ranksOf(map.data)),
      };
      const shape = { label: 'revealed pixels', channels: 3, pixels, steps };
      return (first, batch, output) => [
        revealPixels({ ...shape, ...images, first, batch, output }),
      ];
    });
    return { auc: areaUnder(probabilities), probabilities };
  }

  private async score(count: number, prepare: (arena: Arena) => Fill): Promise<number[]> {
    const { runner, memoryBudget } = this.bench;
    if (count === 0) return [];
    const arena = new Arena(runner.gpu);
    try {
      const { finished, signal } = this;
      const run = { finished, memoryBudget, signal };
      const { probabilities } = await scoresAfter(runner, undefined, count, prepare(arena), run);
      const classes = runner.network.labels.length;
      this.passes += count;
      return Array.from({ length: count }, (_, i) => {
        return probabilities[i * classes + this.classIndex] as number;
      });
    } finally {
      arena.dispose();
    }
  }
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
