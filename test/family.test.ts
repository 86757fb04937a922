/** What the methods compute on the page's side: components, clusters, what is asked. No GPU. */
import { describe, expect, it } from 'vitest';
import { choose } from '../src/explain/methods/choose';
import { questionOf } from '../src/explain/methods/finer';
import { kMeans } from '../src/explain/methods/runs/k-means';
import { centred, principalPlaces, projected } from '../src/explain/methods/runs/principal';
import { fuseMaps } from '../src/explain/saliency';
import { assertClose, testValues } from './harness/compare';
import { smallLayers, smallModel } from './harness/small-model';
import { backwardReference } from './reference/backward';
import { eigenCamReference, kpcaCamReference } from './reference/components';
import { forwardReference } from './reference/score_cam';

const rowsOf = (data: Float32Array, count: number): Float32Array[] => {
  const pixels = data.length / count;
  return Array.from({ length: count }, (_, k) => data.subarray(k * pixels, (k + 1) * pixels));
};

const largest = (values: Float64Array): number => Math.max(...values.map(Math.abs));

/** Both up to a positive factor. */
function expectAlike(actual: Float64Array, expected: Float64Array): void {
  const scale = largest(expected);
  assertClose(
    'component',
    actual.map((value) => value / largest(actual)),
    expected.map((value) => value / scale),
    1e-9,
  );
}

describe('the first principal component', () => {
  it.each([
    [3, 4, 5],
    [30, 4, 5],
    [20, 4, 5],
    [1, 3, 3],
  ])('of %i maps of %i x %i is what rotations say', (count, height, width) => {
    const data = testValues(count * height * width, count);
    const maps = { data, count, height, width };
    expectAlike(projected(centred(maps)), eigenCamReference(rowsOf(data, count)));
    const kernel = (product: number): number => Math.tanh(product / count + 1);
    expectAlike(principalPlaces(centred(maps), kernel), kpcaCamReference(rowsOf(data, count)));
  });

  it('of two directions nearly as strong is the stronger', () => {
    // Variances 1.0001^2 and 1 of two maps that have nothing in common.
    const data = Float32Array.of(1.0001, -1.0001, 0, 0, 0, 0, 1, -1);
    const found = projected(centred({ data, count: 2, height: 2, width: 2 }));
    expect(found.map(Math.abs).map((value) => Math.round(1e6 * value) / 1e6)).toEqual(
      Float64Array.of(1.0001, 1.0001, 0, 0),
    );
  });

  it('is the largest eigenvalue, also where a negative one is farther from 0', () => {
    const data = Float32Array.of(3, -1, -2, 1, 1, -2);
    const centredMaps = centred({ data, count: 2, height: 1, width: 3 });
    const product = (i: number, j: number): number =>
      (data[i] as number) * (data[j] as number) + (data[3 + i] as number) * (data[3 + j] as number);
    const found = principalPlaces(centredMaps, (value) => -value);
    // Its own eigenvector, with an eigenvalue of at least 0, though the matrix has none above.
    const applied = found.map((_, i) => found.reduce((sum, v, j) => sum - v * product(i, j), 0));
    expect(largest(applied)).toBeLessThan(1e-12);
    expect(Math.hypot(...found)).toBeCloseTo(1, 12);
  });

  it('of maps without contrast is zero', () => {
    const data = new Float32Array(12).fill(3);
    const flat = { data, count: 3, height: 2, width: 2 };
    expect([...projected(centred(flat))]).toEqual([0, 0, 0, 0]);
  });
});

describe('clusters', () => {
  const points = [
    [0, 0],
    [9, 9],
    [0.5, 0],
    [9, 8],
    [0, 0.5],
    [-20, 3],
  ].map((point) => Float64Array.from(point));

  it('are those that anybody sees, whatever the seed', () => {
    for (let seed = 0; seed < 20; seed++) {
      const { centres, clusterOf } = kMeans(points, 3, seed);
      const [a, b, , , , c] = clusterOf;
      expect(clusterOf).toEqual([a, b, a, b, a, c]);
      expect(new Set(clusterOf).size).toBe(3);
      assertClose('centre', centres[a as number] as Float64Array, [0.5 / 3, 0.5 / 3], 1e-15);
      expect([...(centres[b as number] as Float64Array)]).toEqual([9, 8.5]);
    }
  });

  it('are as many as there are different points, at most', () => {
    const twice = [...points, ...points];
    const { centres, clusterOf } = kMeans(twice, 100, 1);
    expect(centres).toHaveLength(points.length);
    twice.forEach((point, i) => {
      expect(centres[clusterOf[i] as number]).toEqual(point);
    });
    expect(kMeans([], 5, 0)).toEqual({ centres: [], clusterOf: [] });
  });
});

describe('what is asked', () => {
  const logits = Float32Array.of(1, 5, 4, 7, -3);

  it('is the class alone, or less the mean of those with the nearest logits', async () => {
    expect(await questionOf(1, logits, {})).toEqual([[1, 1]]);
    expect(await questionOf(1, logits, { contrast: 0, rivals: 3 })).toEqual([[1, 1]]);
    expect(await questionOf(1, logits, { contrast: 0.5, rivals: 2 })).toEqual([
      [1, 1],
      [2, -0.25],
      [3, -0.25],
    ]);
    // With the softmax of 4 and 7 alone as weights, and their derivatives.
    const q = 1 / (1 + Math.exp(-3));
    const mean = 4 * (1 - q) + 7 * q;
    const likely = await questionOf(1, logits, {
      contrast: 2,
      rivals: 2,
      rivalWeights: 'probability',
    });
    expect(likely.map(([c]) => c)).toEqual([1, 2, 3]);
    expect(likely[1]?.[1]).toBeCloseTo(-2 * (1 - q) * (1 + 4 - mean), 12);
    expect(likely[2]?.[1]).toBeCloseTo(-2 * q * (1 + 7 - mean), 12);
    // No more than there are.
    const all = await questionOf(4, logits, { contrast: 1, rivals: 9 });
    expect(all.map(([c]) => c)).toEqual([4, 0, 2, 1, 3]);
    expect(await questionOf(0, Float32Array.of(2), { contrast: 1, rivals: 3 })).toEqual([[0, 1]]);
  });
});

describe('ShapleyCAM', () => {
  it.each(['vggLike', 'poolingHead'] as const)(
    'takes nothing off behind ReLUs, leaky ones and poolings: %s',
    async (layers) => {
      const { network, weights, manifest } = smallModel({ layers: smallLayers[layers] });
      const target = 'conv2';
      const { channels, height, width } = network.input;
      const image = testValues(channels * height * width, 5);
      const maps = (await forwardReference(network, weights, image)).get(target) as Float64Array;
      const score = { classIndex: manifest.labels.length - 1, of: 'logit' } as const;
      const at = (factor: number): Promise<Float64Array> =>
        backwardReference(
          network,
          weights,
          target,
          maps.map((value) => factor * value),
          score,
        );
      // The derivative of the gradient along the maps is the second derivatives times the maps.
      const [below, here, above] = [await at(1 - 1e-9), await at(1), await at(1 + 1e-9)];
      expect(largest(here)).toBeGreaterThan(0);
      expect([...above]).toEqual([...below]);
    },
  );

  it('is refused where logits are curved', async () => {
    const { network } = smallModel();
    const curved = network.layers.map((layer) =>
      layer.name === 'fc1' ? { ...layer, activation: -2e5 } : layer,
    );
    const refused = choose({ method: 'shapley-cam' }, { ...network, layers: curved });
    await expect(refused).rejects.toThrow('behind conv3, and "fc1" is curved: use grad-cam.');
    await expect(choose({ method: 'shapley-cam' }, network)).resolves.toBeDefined();
  });
});

describe('maps of several layers', () => {
  const map = (...data: number[]) => ({
    width: data.length,
    height: 1,
    data: Float32Array.from(data),
    flat: false,
  });

  it('are averaged or multiplied, and normalised again', () => {
    const maps = [map(0, 0.5, 1), map(1, 0.5, 0.25)];
    // Means 0.5, 0.5, 0.625; products 0, 0.25, 0.25.
    expect([...fuseMaps(maps).data]).toEqual([0, 0, 1]);
    expect([...fuseMaps(maps, true).data]).toEqual([0, 1, 1]);
    expect(fuseMaps([map(0, 1), map(1, 0)], true)).toMatchObject({ flat: true });
  });
});
