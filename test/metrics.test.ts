import { describe, expect, it } from 'vitest';
import {
  adccOf,
  areaUnder,
  drop,
  energyIn,
  figuresOf,
  muteHalf,
  pearson,
  pointsInto,
  ranksOf,
  sparsityOf,
  spearman,
  summarise,
  win,
} from '../src/evaluation/metrics';
import { cascade, randomised } from '../src/evaluation/randomise';
import type { Measures } from '../src/evaluation/types';
import { narrowManifest, narrowNetwork, narrowWeights } from './harness/narrow-vgg';

const map = (width: number, values: readonly number[]) => ({
  width,
  height: values.length / width,
  data: Float32Array.from(values),
  flat: values.every((value) => value === values[0]),
});

const measured = (probability: number, masked: number, more: Partial<Measures> = {}): Measures => ({
  flat: false,
  probability,
  masked,
  passes: 2,
  ...more,
});

describe('metrics', () => {
  it('drop only where the probability falls', () => {
    expect(drop(0.8, 0.2)).toBeCloseTo(0.75, 12);
    expect(drop(0.5, 0.9)).toBe(0);
    expect(drop(0, 0)).toBe(0);
  });

  it('rank pixels by falling value, equal ones in reading order', () => {
    expect([...ranksOf([0.2, 0.9, 0.2, 1])]).toEqual([2, 1, 3, 0]);
  });

  it('mute the lower half of the pixels', () => {
    expect([...muteHalf(Float32Array.of(4, 1, 3, 2))]).toEqual([4, 0, 3, 0]);
    expect([...muteHalf(Float32Array.of(1, 3, 2))]).toEqual([0, 3, 2]);
  });

  it('take areas by trapezoids', () => {
    expect(areaUnder([0, 1])).toBe(0.5);
    expect(areaUnder([1, 1, 1, 1])).toBe(1);
    expect(areaUnder([0, 1, 0])).toBe(0.5);
  });

  it('share out energy by boxes, and have none of a map of zeros', () => {
    const one = map(3, [1, 2, 3, 4, 5, 6]);
    expect(energyIn(one, [{ x: 1, y: 0, width: 2, height: 1 }])).toBeCloseTo(5 / 21, 6);
    const twice = { x: 0, y: 0, width: 3, height: 2 };
    expect(energyIn(one, [twice, twice])).toBe(1);
    expect(energyIn(one, [{ x: 0.5, y: 0, width: 1, height: 2 }])).toBeCloseTo(7 / 21, 6);
    expect(energyIn(map(2, [0, 0]), [twice])).toBeUndefined();
  });

  it('point at the first maximum', () => {
    const one = map(2, [0, 3, 3, 1]);
    expect(pointsInto(one, { x: 1, y: 0, width: 1, height: 1 })).toBe(true);
    expect(pointsInto(one, { x: 0, y: 1, width: 1, height: 1 })).toBe(false);
    expect(pointsInto(map(2, [1, 1]), { x: 0, y: 0, width: 2, height: 1 })).toBeUndefined();
  });

  it('know an even map from a single pixel', () => {
    expect(sparsityOf(Float32Array.of(0.5, 0.5, 0.5, 0.5))).toBe(1);
    expect(sparsityOf(Float32Array.of(0, 0, 1, 0))).toBe(4);
    expect(sparsityOf(new Float32Array(4))).toBeUndefined();
  });

  it('combine ADCC as a harmonic mean, 0 if one part is', () => {
    expect(adccOf(1, 0, 0)).toBe(1);
    expect(adccOf(0.5, 0.5, 0.5)).toBeCloseTo(0.5, 12);
    expect(adccOf(1, 0.5, 0.75)).toBeCloseTo(3 / (1 + 2 + 4), 12);
    expect(adccOf(0.9, 0.2, 1)).toBe(0);
  });

  it('correlate by value and by rank', () => {
    expect(pearson([1, 2, 3], [2, 4, 6])).toBeCloseTo(1, 12);
    expect(pearson([1, 2, 3], [3, 2, 1])).toBeCloseTo(-1, 12);
    expect(pearson([1, 0, 0, 0], [1, 0, 0, 1])).toBeCloseTo(1 / Math.sqrt(3), 12);
    expect(pearson([1, 1], [1, 2])).toBeUndefined();
    expect(spearman([1, 2, 3, 4], [1, 4, 9, 16])).toBeCloseTo(1, 12);
    // Ties share rank 1.5: ranks 1.5 1.5 3 against 1 2 3.
    expect(spearman([5, 5, 7], [1, 2, 3])).toBeCloseTo(Math.sqrt(3) / 2, 12);
    expect(() => pearson([1], [1, 2])).toThrow(RangeError);
  });

  it('average drops and increases over images, each over those that have it', () => {
    const all = [
      measured(0.8, 0.4, { energy: 0.25, hit: true }),
      measured(0.5, 0.6, { energy: 0.75, hit: false }),
      { flat: true, probability: 0.5, masked: 0.5, passes: 2 },
    ];
    const summary = summarise(all);
    expect(summary).toMatchObject({ maps: 3, flat: 1, energy: 50, hits: 50 });
    expect(summary.averageDrop).toBeCloseTo(50 / 3, 10);
    expect(summary.averageIncrease).toBeCloseTo(100 / 3, 10);
    expect(summary).not.toHaveProperty('insertion');
    expect(figuresOf(all[2] as Measures)).toEqual({ averageDrop: 0, averageIncrease: 0 });
  });

  it('let the smaller drop win, equal ones by half', () => {
    const a = [measured(0.8, 0.8), measured(0.8, 0.2), measured(0.5, 0.9)];
    const b = [measured(0.8, 0.4), measured(0.8, 0.4), measured(0.5, 0.6)];
    expect(win(a, b)).toBe(50);
    expect(win(b, a)).toBe(50);
    expect(win(a.slice(0, 1), b.slice(0, 1))).toBe(100);
    expect(() => win(a, [])).toThrow(RangeError);
    expect(() => win([{ flat: false, probability: 1, passes: 1 }], b.slice(0, 1))).toThrow(/map 0/);
  });
});

describe('cascading randomisation', () => {
  it('goes from the logits down to the first layer', () => {
    const stages = cascade(narrowNetwork);
    expect(stages[0]).toEqual(['fc3']);
    expect(stages[1]).toEqual(['fc2', 'fc3'].reverse());
    expect(stages).toHaveLength(11);
    expect(stages.at(-1)?.at(-1)).toBe('conv1_1');
  });

  it('draws the named layers anew and no other, the same for the same seed', async () => {
    const model = { manifest: narrowManifest, network: narrowNetwork, weights: narrowWeights };
    const [fc3, conv] = [narrowNetwork.layers.at(-1), narrowNetwork.layers[0]];
    if (fc3?.type !== 'linear' || conv?.type !== 'conv') throw new Error('not a VGG');
    const read = async (name: string, seed: number) => [
      ...(await randomised(model, ['fc3'], seed).weights.read(name, 0, 4)),
    ];
    const own = async (name: string) => [...(await narrowWeights.read(name, 0, 4))];
    expect(await read(fc3.weight, 1)).not.toEqual(await own(fc3.weight));
    expect(await read(fc3.weight, 1)).toEqual(await read(fc3.weight, 1));
    expect(await read(fc3.weight, 1)).not.toEqual(await read(fc3.weight, 2));
    expect(await read(fc3.bias, 1)).toEqual([0, 0, 0, 0]);
    expect(await read(conv.weight, 1)).toEqual(await own(conv.weight));
    expect(() => randomised(model, ['pool1'], 1)).toThrow(/no weights to randomise/);
    expect(() => randomised(model, ['fc9'], 1)).toThrow(/"fc9"/);
  });
});
