import { describe, expect, it } from 'vitest';
import { checkLimits, DEFAULT_LIMITS, deviceRequest } from '../src/gpu/limits';
import { buildNetwork } from '../src/model/network';
import { seededVgg } from '../src/model/seeded-vgg';
import { vggManifest } from '../src/model/vgg';
import { needsOf } from '../src/plan/needs';

describe('limits', () => {
  it.each([11, 13, 16, 19] as const)('VGG-%i asks for the defaults and no more', (depth) => {
    expect(needsOf(seededVgg(depth, 1).network)).toEqual(DEFAULT_LIMITS);
  });

  it('a larger picture asks for exactly its largest tensor', () => {
    const manifest = vggManifest({
      depth: 11,
      name: 'large',
      description: 'VGG-11 for large pictures',
      licence: 'MIT',
      labels: ['a'],
      weights: { format: 'seeded', seed: 1 },
      inputSize: 1024,
    });
    const bytes = 4 * 64 * 1024 * 1024;
    const needs = needsOf(buildNetwork(manifest));
    expect(needs).toEqual({ maxStorageBufferBindingSize: bytes, maxBufferSize: bytes });
    expect(() => checkLimits('This GPU', DEFAULT_LIMITS, needs)).toThrow(
      'This GPU allows maxStorageBufferBindingSize = 134217728 bytes, this network needs 268435456',
    );
  });

  it('only features the adapter has are requested', () => {
    const limits = DEFAULT_LIMITS as unknown as GPUSupportedLimits;
    const request = (features: string[]) =>
      deviceRequest(
        { limits, features: new Set(features) as GPUSupportedFeatures },
        DEFAULT_LIMITS,
      );
    expect(request(['timestamp-query', 'clip-distances', 'shader-f16']).requiredFeatures).toEqual([
      'timestamp-query',
      'shader-f16',
    ]);
    expect(request([]).requiredFeatures).toEqual([]);
    expect(request([]).requiredLimits).toEqual(DEFAULT_LIMITS);
  });
});
