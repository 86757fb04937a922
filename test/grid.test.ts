import { describe, expect, it } from 'vitest';
import { ScoreCamError } from '../src/errors';
import { checkedGrid, gridOf } from '../src/kernels/grid';

describe('gridOf', () => {
  it.each([
    [1, 1],
    [64, 1],
    [65, 2],
    [65535 * 64, 65535],
  ])('takes one dimension while it can: %i items', (items, x) => {
    expect(gridOf('test', items, 64)).toEqual([x, 1, 1]);
  });

  it.each([65535 * 64 + 1, 268_435_456])('goes on in y: %i items', (items) => {
    const [x, y, z] = gridOf('test', items, 64);
    expect(z).toBe(1);
    expect(x).toBeLessThanOrEqual(65535);
    expect(x * y * 64).toBeGreaterThanOrEqual(items);
    expect(x * (y - 1) * 64).toBeLessThan(items);
  });
});

describe('checkedGrid', () => {
  it('passes a grid at the limit', () => {
    expect(checkedGrid('test', [65535, 1, 1])).toEqual([65535, 1, 1]);
  });

  it('refuses one above, naming value and limit', () => {
    const refused = () => checkedGrid('pool5', [1, 65536, 1]);
    expect(refused).toThrow(ScoreCamError);
    expect(refused).toThrow(/pool5.*65536.*65535/);
  });
});
