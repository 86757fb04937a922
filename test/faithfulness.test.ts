/** The parts of ROAD, ARCC, SaCo, infidelity, max-sensitivity and relevance rank that need no GPU, in closed form. */
import { describe, expect, it } from 'vitest';
import { imputed } from '../src/evaluation/imputation';
import { drawSquares, infidelityOf, relativeChange, shaken } from '../src/evaluation/infidelity';
import { arccOf, figuresOf, rankIn } from '../src/evaluation/metrics';
import { holeOf, percentileOf, removals, roadOf } from '../src/evaluation/road';
import { sacoOf, salienceGroups, salienceOf, withoutGroup } from '../src/evaluation/saco';
import { uniform } from '../src/explain/random';
import { imputedReference } from './reference/imputation';

const WIDTH = 13;
const HEIGHT = 11;
const PIXELS = WIDTH * HEIGHT;
const size = { width: WIDTH, height: HEIGHT };
const silent = { noise: 0, seed: 0 };
const plane = (value: (x: number, y: number) => number): Float32Array =>
  Float32Array.from({ length: PIXELS }, (_, i) => value(i % WIDTH, Math.floor(i / WIDTH)));
const largest = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const difference = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  largest(Array.from(a, (value, i) => value - (b[i] as number)));

describe('imputation', () => {
  const ramp = plane((x, y) => 0.3 * x - 0.2 * y + 1);
  const inside = plane((x, y) => Number(x > 2 && x < 9 && y > 1 && y < 8));

  it('continues a linear ramp through a hole', () => {
    const spoilt = ramp.map((value, i) => (inside[i] ? 100 : value));
    expect(difference(imputed(spoilt, inside, size, silent), ramp)).toBeLessThan(1e-6);
  });

  it('gives a single pixel the weighted mean of its neighbours, and fewer of them at the corner', () => {
    const values = plane((x, y) => x * x + y);
    const at = (x: number, y: number): number => values[y * WIDTH + x] as number;
    const one = (x: number, y: number): number => {
      const hole = plane((u, v) => Number(u === x && v === y));
      return imputed(values, hole, size, silent)[y * WIDTH + x] as number;
    };
    const beside = at(4, 3) + at(4, 5) + at(3, 4) + at(5, 4);
    const across = at(3, 3) + at(5, 5) + at(3, 5) + at(5, 3);
    expect(one(4, 4)).toBeCloseTo(beside / 6 + across / 12, 5);
    // 1/6, 1/6 and 1/12 of 5/12.
    expect(one(0, 0)).toBeCloseTo((2 * at(1, 0) + 2 * at(0, 1) + at(1, 1)) / 5, 5);
  });

  it('a constant picture stays constant, holes at the border or not', () => {
    const draw = uniform(4);
    const hole = plane(() => Number(draw() < 0.8));
    const grey = plane(() => 0.7);
    expect(difference(imputed(grey, hole, size, silent), grey)).toBeLessThan(1e-6);
  });

  it.each([0.1, 0.4, 0.7, 0.95])(
    'solves what elimination solves, %f of the pixels missing',
    (share) => {
      const draw = uniform(Math.round(100 * share));
      const values = plane(() => 4 * draw() - 2);
      const holes = {
        scattered: plane(() => Number(draw() < share)),
        whole: plane((x, y) => Number(x + WIDTH * y < share * PIXELS)),
      };
      for (const hole of Object.values(holes)) {
        const expected = imputedReference(values, hole, WIDTH, HEIGHT);
        expect(difference(imputed(values, hole, size, silent), expected)).toBeLessThan(1e-5);
      }
    },
  );

  it('leaves what is known, and each channel to itself', () => {
    const values = plane((x, y) => Math.sin(3 * x + y));
    const image = Float32Array.from([...values, ...ramp, ...values]);
    const out = imputed(image, inside, size, silent);
    const channel = (i: number): number[] => [...out.subarray(i * PIXELS, (i + 1) * PIXELS)];
    expect(channel(0)).toEqual(channel(2));
    expect(difference(channel(1), ramp)).toBeLessThan(1e-6);
    channel(0).forEach((value, i) => {
      if (!inside[i]) expect(value).toBe(values[i]);
    });
    const whole = imputed(image, new Uint8Array(PIXELS), size, { noise: 1, seed: 1 });
    expect([...whole]).toEqual([...image]);
  });

  it('knows nothing where nothing is known: the mean colour, with noise', () => {
    const all = new Uint8Array(PIXELS).fill(1);
    const flat = imputed(ramp, all, size, silent);
    expect(largest(flat)).toBe(0);
  });

  it('adds noise as the seed has it, of the size asked for, in the hole alone', () => {
    const large = { width: 60, height: 50 };
    const image = new Float32Array(3 * 3000);
    const hole = new Uint8Array(3000).fill(1).fill(0, 0, 100);
    const run = (seed: number): Float32Array => imputed(image, hole, large, { noise: 0.01, seed });
    const once = run(7);
    expect([...run(7)]).toEqual([...once]);
    expect([...run(8)]).not.toEqual([...once]);
    const drawn = once.filter((_, i) => i % 3000 >= 100);
    const mean = drawn.reduce((a, b) => a + b, 0) / drawn.length;
    const sd = Math.sqrt(drawn.reduce((a, b) => a + (b - mean) ** 2, 0) / drawn.length);
    // 8700 values: the mean is off by 0.0001 and the standard deviation by 0.8 % once in three times.
    expect(Math.abs(mean)).toBeLessThan(0.0005);
    expect(Math.abs(sd / 0.01 - 1)).toBeLessThan(0.04);
    expect(largest(once.filter((_, i) => i % 3000 < 100))).toBe(0);
  });
});

describe('ROAD', () => {
  it('takes percentiles between the nearest values', () => {
    const values = Float32Array.of(4, 1, 3, 2);
    expect([0, 50, 100].map((p) => percentileOf(values, p))).toEqual([1, 2.5, 4]);
    expect(percentileOf(values, 20)).toBe(Math.fround(1.6));
  });

  it('removes the most and the least salient, equal pixels all at once', () => {
    const map = Float32Array.of(0, 0.2, 0.4, 0.6, 0.8, 1);
    const hole = (percentile: number, first: 'most' | 'least', of = map): number[] => [
      ...holeOf(of, { percentile, first }),
    ];
    expect(hole(80, 'most')).toEqual([0, 0, 0, 0, 1, 1]);
    expect(hole(80, 'least')).toEqual([1, 1, 0, 0, 0, 0]);
    expect(hole(20, 'most')).toEqual([0, 1, 1, 1, 1, 1]);
    const sparse = Float32Array.of(0, 0, 0, 0, 0, 1);
    expect(hole(20, 'most', sparse)).toEqual([1, 1, 1, 1, 1, 1]);
    expect(hole(90, 'least', sparse)).toEqual([1, 1, 1, 1, 1, 0]);
  });

  it('is half of what removing the least leaves over removing the most', () => {
    expect(removals([20, 80])).toEqual([
      { percentile: 20, first: 'most' },
      { percentile: 20, first: 'least' },
      { percentile: 80, first: 'most' },
      { percentile: 80, first: 'least' },
    ]);
    const road = roadOf(0.8, [20, 80], [0, 0.6, 0.2, 0.8]);
    expect(road.mostRelevantFirst).toEqual([-0.8, expect.closeTo(-0.6, 12)]);
    expect(road.leastRelevantFirst).toEqual([expect.closeTo(-0.2, 12), 0]);
    expect(road.combined).toBeCloseTo(0.3, 12);
    const measures = { flat: false, probability: 0.8, passes: 4, road };
    expect(figuresOf(measures)).toEqual({
      road: expect.closeTo(0.3, 12),
      roadMost: expect.closeTo(-0.7, 12),
      roadLeast: expect.closeTo(-0.1, 12),
    });
  });
});

describe('ARCC', () => {
  it('is a harmonic mean, of twice ROAD cut to 0 to 1', () => {
    expect(arccOf(1, 0, 0.5)).toBe(1);
    expect(arccOf(1, 0, 0.7)).toBe(1);
    expect(arccOf(0.5, 0.5, 0.25)).toBeCloseTo(0.5, 12);
    expect(arccOf(1, 0.5, 0.125)).toBeCloseTo(3 / (1 + 2 + 4), 12);
    expect(arccOf(0.9, 0.1, -0.2)).toBe(0);
  });
});

describe('SaCo', () => {
  it('groups by rank, as many pixels in each', () => {
    const map = [0.1, 0.9, 0.5, 0.5, 0.3, 0];
    const groups = salienceGroups(map, 3);
    expect([...groups]).toEqual([2, 0, 0, 1, 1, 2]);
    expect(salienceOf(map, groups, 3)).toEqual([1.4, 0.8, 0.1]);
    expect([...salienceGroups([5, 4, 3, 2, 1], 2)]).toEqual([0, 0, 0, 1, 1]);
  });

  it("sets a group to the image's mean colour", () => {
    const image = Float32Array.of(1, 2, 3, 6, 0, 0, 8, 0);
    expect([...withoutGroup(image, [0, 1, 1, 0], 1)]).toEqual([1, 3, 3, 6, 0, 2, 2, 0]);
  });

  it('is 1 where the order is right, -1 where it is wrong, weighed by what lies between', () => {
    expect(sacoOf([5, 3, 1], [0.5, 0.3, 0.1])).toBe(1);
    expect(sacoOf([5, 3, 1], [0.1, 0.2, 0.3])).toBe(-1);
    // Pairs of weight 2 and 4 are right, one of 2 is wrong.
    expect(sacoOf([5, 3, 1], [0.9, 0.1, 0.2])).toBeCloseTo((2 + 4 - 2) / 8, 12);
    expect(sacoOf([5, 3], [0.2, 0.2])).toBe(1);
    expect(sacoOf([2, 2, 2], [0.1, 0.2, 0.3])).toBeUndefined();
  });
});

describe('infidelity', () => {
  it('is 0 for a map whose sums tell the falls, whatever its unit', () => {
    expect(infidelityOf([1, 2, 3], [0.1, 0.2, 0.3])).toBeCloseTo(0, 12);
    expect(infidelityOf([10, 20, 30], [0.1, 0.2, 0.3])).toBeCloseTo(0, 12);
  });

  it('is what the best scale leaves', () => {
    // beta = (1 x 0.4) / (1 + 1) = 0.2: 0.2^2 and 0.2^2 are left.
    expect(infidelityOf([1, 1], [0.4, 0])).toBeCloseTo(0.04, 12);
    // Nothing in common: the mean square of the falls.
    expect(infidelityOf([1, 1], [0.3, -0.3])).toBeCloseTo(0.09, 12);
    expect(infidelityOf([0, 0], [0.3, 0.1])).toBeUndefined();
  });

  it('draws squares on a grid of 28 cells, the same ones for the same seed', () => {
    const squares = drawSquares(4000, 224, 168, 1);
    expect(drawSquares(4000, 224, 168, 1)).toEqual(squares);
    expect(drawSquares(4000, 224, 168, 2)).not.toEqual(squares);
    const strays = squares.filter(({ x, y, width, height }) => {
      const isOnGrid = x % 8 === 0 && y % 6 === 0 && width / 8 === height / 6;
      return !(isOnGrid && x >= 0 && y >= 0 && x + width <= 224 && y + height <= 168);
    });
    expect(strays).toEqual([]);
    const sides = squares.map(({ width }) => width / 8);
    const of = (side: number): number => sides.filter((one) => one === side).length / 4000;
    expect(Math.max(...sides)).toBe(10);
    // 28^2 and 19^2 of all 5605.
    expect(Math.abs(of(1) - 784 / 5605)).toBeLessThan(0.02);
    expect(Math.abs(of(10) - 361 / 5605)).toBeLessThan(0.02);
    const few = drawSquares(500, 17, 14, 3);
    expect(few.every(({ width, height }) => width > 0 && height > 0)).toBe(true);
  });
});

describe('max-sensitivity', () => {
  it('is the distance as a share of the map', () => {
    const map = Float32Array.of(3, 4);
    expect(relativeChange(map, Float32Array.of(3, 4))).toBe(0);
    expect(relativeChange(map, new Float32Array(2))).toBe(1);
    expect(relativeChange(map, Float32Array.of(3, 5))).toBeCloseTo(0.2, 12);
    expect(relativeChange(new Float32Array(2), map)).toBeUndefined();
  });

  it('shakes every value within the radius', () => {
    const shifts = shaken(new Float32Array(5000), 0.02, uniform(1));
    expect(largest(shifts)).toBeLessThanOrEqual(0.02);
    expect(largest(shifts)).toBeGreaterThan(0.0199);
    expect(Math.abs(shifts.reduce((a, b) => a + b, 0) / 5000)).toBeLessThan(0.001);
  });
});

describe('relevance rank', () => {
  const map = (values: readonly number[]) => ({
    width: 3,
    height: 2,
    data: Float32Array.from(values),
    flat: values.every((value) => value === values[0]),
  });
  const box = { x: 1, y: 0, width: 2, height: 1 };

  it('is the share of the box among as many most salient pixels', () => {
    expect(rankIn(map([0, 8, 9, 1, 2, 3]), box)).toBe(1);
    expect(rankIn(map([0, 8, 1, 9, 2, 3]), box)).toBe(0.5);
    expect(rankIn(map([5, 0, 0, 9, 2, 3]), box)).toBe(0);
    // Equal pixels count in reading order.
    expect(rankIn(map([0, 1, 1, 1, 0, 0]), box)).toBe(1);
  });

  it('is none of a flat map, nor of a box between the pixels', () => {
    expect(rankIn(map([1, 1, 1, 1, 1, 1]), box)).toBeUndefined();
    const between = { x: 0.2, y: 0.2, width: 0.5, height: 0.5 };
    expect(rankIn(map([0, 8, 9, 1, 2, 3]), between)).toBeUndefined();
  });
});
