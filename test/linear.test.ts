import { describe, expect, it } from 'vitest';
import { rowStride, shardRows } from '../src/kernels/linear/linear';
import { chooseLinearTiling } from '../src/plan/linear_choice';

const MIB = 2 ** 20;

describe('shardRows', () => {
  it.each([
    ['f32', 4],
    ['f16', 2],
    ['int8', 1],
  ] as const)(
    'cuts fc1 of VGG-16 in %s into %i equal shards for a binding of 128 MiB',
    (dtype, count) => {
      const outputs = 4096 / count;
      expect(shardRows(25088, 4096, 128 * MIB, dtype)).toEqual(
        Array.from({ length: count }, (_, i) => ({ firstOutput: i * outputs, outputs })),
      );
    },
  );

  it('takes one shard when everything fits with its padding, to the byte', () => {
    const whole = [{ firstOutput: 0, outputs: 7 }];
    expect(shardRows(10, 7, 7 * 12 * 4, 'f32')).toEqual(whole);
    expect(shardRows(10, 7, 7 * 12 * 2, 'f16')).toEqual(whole);
    expect(shardRows(10, 7, 7 * 12, 'int8')).toEqual(whole);
    expect(shardRows(10, 7, 7 * 12 - 1, 'int8')).toHaveLength(2);
  });

  it.each([
    [10, 7, 335, 'f32', 4],
    [3, 1000, 13 * 16, 'f32', 4],
    [1, 1, 16, 'f32', 4],
    [5, 11, 20, 'f16', 2],
    [5, 11, 20, 'int8', 1],
  ] as const)(
    'covers every row once, in order, as equally as whole rows allow: %i, %i, %i bytes, %s',
    (inFeatures, outFeatures, limit, dtype, elementBytes) => {
      const shards = shardRows(inFeatures, outFeatures, limit, dtype);
      const rowBytes = elementBytes * rowStride(inFeatures);
      let next = 0;
      for (const { firstOutput, outputs } of shards) {
        expect(firstOutput).toBe(next);
        expect(outputs * rowBytes).toBeLessThanOrEqual(limit);
        next += outputs;
      }
      expect(next).toBe(outFeatures);
      expect(shards.length).toBe(Math.ceil(outFeatures / Math.floor(limit / rowBytes)));
      const sizes = shards.map(({ outputs }) => outputs);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    },
  );

  it('refuses a row that does not fit, naming need and limit', () => {
    expect(() => shardRows(25, 4, 111, 'f32')).toThrow(/112 bytes in f32.*111/);
    expect(() => shardRows(25, 4, 27, 'int8')).toThrow(/28 bytes in int8.*27/);
  });
});

describe('rowStride', () => {
  it.each([
    [1, 4],
    [4, 4],
    [5, 8],
    [25088, 25088],
  ])('of %i inputs is %i', (inFeatures, stride) => {
    expect(rowStride(inFeatures)).toBe(stride);
  });
});

describe('chooseLinearTiling', () => {
  it('avoids barriers on a software adapter only', () => {
    expect(chooseLinearTiling({ isFallback: true })).toBe('registers');
    expect(chooseLinearTiling({ isFallback: true, quads: 1 })).toBe('quads');
    expect(chooseLinearTiling({ isFallback: false })).toBe('workgroup');
    expect(chooseLinearTiling({ isFallback: false, quads: 1 })).toBe('workgroup');
  });
});
