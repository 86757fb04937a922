import { describe, expect, it } from 'vitest';
import { chooseLinearTiling, shardRows } from '../src/kernels/linear';
import { cases } from './gpu/linear.gpu';
import { gpuSuite } from './harness/suite';

const MIB = 2 ** 20;

describe('shardRows', () => {
  it('cuts fc1 of VGG-16 into four equal shards for a binding of 128 MiB', () => {
    expect(shardRows(25088, 4096, 128 * MIB)).toEqual(
      [0, 1024, 2048, 3072].map((firstOutput) => ({ firstOutput, outputs: 1024 })),
    );
  });

  it('takes one shard when everything fits, to the byte', () => {
    expect(shardRows(10, 7, 280)).toEqual([{ firstOutput: 0, outputs: 7 }]);
  });

  it.each([
    [10, 7, 279],
    [3, 1000, 13 * 12],
    [1, 1, 4],
    [5, 11, 20],
  ])(
    'covers every row once, in order, as equally as whole rows allow: %i, %i, %i',
    (inFeatures, outFeatures, limit) => {
      const shards = shardRows(inFeatures, outFeatures, limit);
      let next = 0;
      for (const { firstOutput, outputs } of shards) {
        expect(firstOutput).toBe(next);
        expect(outputs * inFeatures * 4).toBeLessThanOrEqual(limit);
        next += outputs;
      }
      expect(next).toBe(outFeatures);
      expect(shards.length).toBe(Math.ceil(outFeatures / Math.floor(limit / (4 * inFeatures))));
      const sizes = shards.map(({ outputs }) => outputs);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    },
  );

  it('refuses a row that does not fit, naming need and limit', () => {
    expect(() => shardRows(25, 4, 99)).toThrow(/100 bytes.*99/);
  });
});

describe('chooseLinearTiling', () => {
  it('avoids barriers on a software adapter only', () => {
    const shape = { inFeatures: 25088, outFeatures: 4096, batch: 8 };
    expect(chooseLinearTiling(shape, { isFallback: true })).toBe('registers');
    expect(chooseLinearTiling(shape, { isFallback: false })).toBe('workgroup');
  });
});

gpuSuite('linear', cases);
