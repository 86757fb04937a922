import { describe, expect, it } from 'vitest';
import { sizeOf } from '../src/model/network';

import { compile } from '../src/plan/compile';
import { layersToKeep } from '../src/runtime/layers-to-keep';
import { testValues } from './harness/compare';
import { factsOf } from './harness/facts';
import { smallLayers, smallModel } from './harness/small-model';
import { backwardReference, differencesReference } from './reference/backward';

describe('the f64 reference itself', () => {
  it.each([
    ['vggLike', 'conv1'],
    ['vggLike', 'pool1'],
    ['vggLike', 'conv3'],
    ['poolingHead', 'conv1'],
    ['poolingHead', 'conv2'],
  ] as const)('agrees with central differences: %s from %s', async (layers, target) => {
    const { network, weights } = smallModel({ layers: smallLayers[layers], width: 7, height: 6 });
    const shape = network.layers.find(({ name }) => name === target)?.output;
    // Generic values: no two are equal, none is 0, so that no kink is within the step.
    const maps = testValues(shape ? sizeOf(shape) : 0, 5);
    for (const of of ['logit', 'probability'] as const) {
      const score = { classIndex: 1, of };
      const exact = await backwardReference(network, weights, target, maps, score);
      const found = await differencesReference(network, weights, target, maps, score, 1e-6);
      expect(exact.some((value) => Math.abs(value) > 1e-4)).toBe(true);
      // The differences of f64 scores near 1 are good to about 1e-16 / 1e-6.
      exact.forEach((value, i) => {
        expect(Math.abs(value - (found[i] as number))).toBeLessThan(1e-8);
      });
    }
  });
});

describe('layersToKeep', () => {
  const plan = compile(smallModel().network, factsOf());

  it('keeps what is rectified or pooled behind the target, and no logits', () => {
    expect(layersToKeep(plan, ['conv3'])).toEqual(['conv3', 'fc1', 'fc2']);
    expect(layersToKeep(plan, ['pool3'])).toEqual(['fc1', 'fc2']);
    // conv2 has no activation, so its output is not needed.
    expect(layersToKeep(plan, ['conv3', 'conv1'])).toEqual(['conv1', 'conv3', 'fc1', 'fc2']);
  });
});
