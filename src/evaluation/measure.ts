import { ScoreCamError } from '../errors';
import { baselineInput } from '../explain/baseline';
import { normalise } from '../explain/image';
import { oneOf } from '../explain/one-of';
import { checkPixels } from '../explain/pixels';
import type { SaliencyMap } from '../explain/types';
import { Arena } from '../gpu/arena';
import { applyMask } from '../kernels/inputs/apply_mask';
import { revealPixels } from '../kernels/inputs/reveal_pixels';
import type { Manifest } from '../model/manifest';
import type { Runner } from '../runtime/runner';
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
import { type Curve, METRICS, type Measurable, type MeasureOptions, type Measures } from './types';

/** What measuring needs of an explainer. */
export interface Bench {
  readonly runner: Runner;
  readonly manifest: Manifest;
  readonly memoryBudget: number;
  /** The map of a normalised image [3, height, width] by the same method for the same class, and its passes. */
  again(input: Float32Array<ArrayBuffer>): Promise<{ map: SaliencyMap; passes: number }>;
}

/**
 * Measures one map. Masks and curves act on the normalised image, as Score-CAM's masks do: what is taken away
 * becomes the data set's mean colour.
 * @throws ScoreCamError `option` for a map of another size, an unknown metric, or a metric that lacks its box; `image`
 * for an image that is not of RGBA bytes
 */
export async function measure(
  bench: Bench,
  subject: Measurable,
  options: MeasureOptions,
): Promise<Measures> {
  const { box, otherBoxes, steps = 100 } = options;
  const asked = options.metrics ?? [
    'confidence',
    'sparsity',
    ...(box ? ['pointing' as const] : []),
  ];
  for (const metric of asked) oneOf('metric', metric, METRICS);
  const wants = new Set(asked);
  check(bench, subject, steps, wants.has('pointing') && !box);
  const { map } = subject;
  const image = normalise(subject.image, bench.manifest) as Float32Array<ArrayBuffer>;
  const scorer = new Scorer(bench, subject.class.index, options.signal);
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
  const second = wants.has('adcc') && !map.flat ? await bench.again(under(image, map)) : undefined;
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
  return Object.fromEntries(
    Object.entries(measures).filter(([, value]) => value !== undefined),
  ) as unknown as Measures;
}

function check(
  { runner }: Bench,
  { map, class: { index }, image }: Measurable,
  steps: number,
  lacksBox: boolean,
): void {
  const fail = (message: string): never => {
    throw new ScoreCamError('option', message);
  };
  checkPixels(image);
  const { input, labels } = runner.network;
  for (const [what, size] of Object.entries({ map, image })) {
    if (size.width === input.width && size.height === input.height) continue;
    fail(
      `The ${what} is ${size.width}x${size.height}, the network's input ${input.width}x${input.height}: ` +
        'give the map and the image at that size.',
    );
  }
  if (!(Number.isInteger(index) && index >= 0 && index < labels.length)) {
    fail(`There is no class ${index}: classes are numbered 0 to ${labels.length - 1}.`);
  }
  const most = Math.min(input.width * input.height, 10_000);
  if (!(Number.isInteger(steps) && steps >= 1 && steps <= most)) {
    fail(`steps is ${steps}, must be a whole number from 1 to ${most}.`);
  }
  if (lacksBox) fail('The metric "pointing" needs the box of the object: give `box`.');
}

/** The class's probability for altered images. */
class Scorer {
  passes = 0;
  private readonly bench: Bench;
  private readonly classIndex: number;
  private readonly signal: AbortSignal | undefined;

  constructor(bench: Bench, classIndex: number, signal: AbortSignal | undefined) {
    this.bench = bench;
    this.classIndex = classIndex;
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

  private async score(
    count: number,
    prepare: (arena: Arena) => Parameters<Runner['scoresAfter']>[2],
  ): Promise<number[]> {
    const { runner, memoryBudget } = this.bench;
    if (count === 0) return [];
    const arena = new Arena(runner.gpu);
    try {
      const run = { memoryBudget, signal: this.signal };
      const { probabilities } = await runner.scoresAfter(undefined, count, prepare(arena), run);
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
